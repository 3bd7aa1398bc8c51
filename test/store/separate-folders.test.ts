import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { forecastRun } from "../../src/app/dry-run.ts";
import { loadPrices } from "../../src/app/prices.ts";
import { runAll } from "../../src/app/run-all.ts";
import { resolveOptions } from "../../src/config/resolve.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { createStore } from "../../src/store/create-store.ts";
import { keepApart } from "../../src/store/separate-folders.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf, makeSettings, mergeHere, planHere } from "../support/in-process.ts";
import { keyed, writeTables } from "../support/tables.ts";

const root = await scratchFolder("apart");
const { input } = writeTables(root, { targets: keyed(["1"]), a: keyed(["1"]) });
const checkpoint = join(input, "pair");
const store = createStore(makeSettings({ gcsEndpoint: "http://127.0.0.1:1" }));

/** Links that lead to the checkpoint, into it, and to what holds it. */
const links = join(root, "links");
mkdirSync(links);
symlinkSync(checkpoint, join(links, "checkpoint"));
symlinkSync(input, join(links, "above"));
symlinkSync(join(links, "checkpoint"), join(links, "twice"));
writeFileSync(join(root, "file"), "");

const local: readonly (readonly [string, "is" | "lies in" | "holds"])[] = [
  [checkpoint, "is"],
  [`${checkpoint}/`, "is"],
  [join(input, "..", "in", "pair"), "is"],
  [join(links, "twice"), "is"],
  [join(checkpoint, "new", "deep"), "lies in"],
  [join(links, "checkpoint", "new"), "lies in"],
  [input, "holds"],
  [join(links, "above"), "holds"],
  ["/", "holds"],
];

for (const [output, relation] of local)
  test(`an output folder that ${relation} the checkpoint is refused: ${output.replace(root, "")}`, async () => {
    for (const work of [mergeHere, planHere]) {
      const failure = await failureOf(work({ input, output }));
      assert.equal(failure.exitCode, ExitCode.usage);
      assert.equal(
        failure.message,
        `the output folder ${relation} the checkpoint of pair: found output folder ${output}, checkpoint ${checkpoint}; choose an --output beside the checkpoints`,
      );
    }
  });

test("an output folder beside the checkpoint is taken, with a name that begins alike too, and beneath a folder that is not there", async () => {
  for (const output of [`${checkpoint}s`, join(input, "other"), join(root, "a", "b"), join(root, "file", "b")])
    await keepApart(store, { input, output, folders: {} }, ["pair"]);
  await keepApart(store, { input: join(root, "no"), output: join(root, "no"), folders: {} }, []);
});

const remote: readonly (readonly [string, string | undefined])[] = [
  ["gs://bucket/in/pair", "is"],
  ["gs://bucket/in//pair/", "is"],
  ["gs://bucket/in/pair/out", "lies in"],
  ["gs://bucket/in", "holds"],
  ["gs://bucket", "holds"],
  ["gs://bucket/in/pairs", undefined],
  ["gs://bucket/out", undefined],
  ["gs://other-bucket/in/pair", undefined],
  [join(root, "gs:", "bucket"), undefined],
];

for (const [output, relation] of remote)
  test(`in a bucket: ${output.replace(root, "")} ${relation ?? "is apart from"} gs://bucket/in/pair`, async () => {
    const work = keepApart(store, { input: "gs://bucket/in", output, folders: {} }, ["pair"]);
    if (relation === undefined) await work;
    else
      assert.match(
        (await failureOf(work)).message,
        new RegExp(`^the output folder ${relation} the checkpoint of pair`),
      );
  });

test("every pair whose checkpoint is not apart is named, by its folder too", async () => {
  const output = join(input, "..");
  const failure = await failureOf(keepApart(store, { input, output, folders: { "ES=F": "es_f" } }, ["pair", "es_f"]));
  assert.deepEqual(
    failure.problems.map(({ found }) => found),
    [`output folder ${output}, checkpoint ${checkpoint}`, `output folder ${output}, checkpoint ${join(input, "ES=F")}`],
  );
});

test("a run, and the forecast of one, stop before they begin", async () => {
  const given = resolveOptions({ input, output: input, pairs: "pair", requireMarker: false });
  const unused = () => {
    throw new Error("a pair was begun");
  };
  const { signal } = new AbortController();
  const hooks = { observe: unused, onView: unused, onNotice: unused, signal, detach: signal };
  const prices = await loadPrices(given.settings);
  for (const work of [() => runAll(given, prices, hooks), () => forecastRun(given, hooks)]) {
    const failure = await failureOf(work());
    assert.equal(failure.exitCode, ExitCode.usage);
    assert.match(failure.message, /^the output folder holds the checkpoint of pair/);
  }
  assert.deepEqual(readdirSync(input), ["pair"]);
});
