import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import packageJson from "../../../package.json" with { type: "json" };
import { readManifest } from "../../../src/merge/publish/manifest.ts";
import type { Manifest } from "../../../src/model/result.ts";
import { localStore } from "../../../src/store/local/store.ts";
import { crc32c } from "../../support/crc32c.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("manifest");
const tables = {
  targets: keyed(upTo(5), { y: ["Int64", upTo(5)] }),
  a_pair: keyed(upTo(5), { "7": ["Int64", upTo(5)], x: ["Int64", upTo(5)] }),
  b: keyed(["9", "2", "2"], { x: ["Int64", upTo(3)] }),
};

async function mergeOne() {
  const written = writeTables(root, tables);
  const result = await mergeHere({ ...written, duplicates: "last", verify: "full" });
  const manifest: Manifest = JSON.parse(readFileSync(result.manifest, "utf8"));
  return { ...written, result, manifest };
}

test("inputs and output with size, checksum, action, rows and lineage", async () => {
  const { input, result, manifest } = await mergeOne();
  const { inputs, output } = manifest;
  assert.deepEqual(
    inputs.map(({ table, action, rows, rowsDropped, rowsNullFilled, duplicateRows }) => [
      table,
      action,
      rows,
      rowsDropped,
      rowsNullFilled,
      duplicateRows,
    ]),
    [
      ["targets", "splice", 5, 0, 0, 0],
      ["a_pair", "splice", 5, 0, 0, 0],
      ["b", "align", 3, 2, 4, 1],
    ],
  );
  for (const entry of inputs) {
    const bytes = readFileSync(join(input, "pair", `${entry.table}.parquet`));
    assert.deepEqual([entry.size, entry.crc32c], [bytes.length, crc32c(bytes)]);
  }
  const bytes = readFileSync(result.output);
  assert.deepEqual(output, { name: "training_pair.parquet", size: bytes.length, crc32c: crc32c(bytes) });
  assert.deepEqual(inputs[1]?.columns, [
    { input: "7", output: "a_7" },
    { input: "x", output: "a_x" },
  ]);
});

test("what was checked, how long it took, with which settings and which version", async () => {
  const { manifest } = await mergeOne();
  assert.deepEqual([manifest.format, manifest.widemerge, manifest.pair], [1, packageJson.version, "pair"]);
  assert.deepEqual([manifest.rows, manifest.columns, manifest.rowGroups], [5, 5, [5]]);
  const { level, problems, columnsCompared, pages } = manifest.verification;
  assert.deepEqual([level, problems, columnsCompared], ["full", [], 5]);
  assert.ok(pages >= 5);
  assert.ok(manifest.inputs.every(({ pageChecksums }) => pageChecksums === "checked"));
  assert.deepEqual(
    manifest.stages.map(({ stage }) => stage),
    ["inventory", "preflight", "plan", "merge", "footer", "verify"],
  );
  assert.equal(manifest.settings.duplicates, "last");
  assert.ok(manifest.memory.peakBytes > 0 && manifest.memory.predictedBytes > 0);
});

test("a manifest that is damaged or of another format counts as none", async () => {
  const { result } = await mergeOne();
  const read = () => readManifest(localStore, result.manifest);
  assert.equal((await read())?.pair, "pair");
  for (const text of ["", "{", "null", "[]", '{"format": 2, "inputs": []}', '{"format": 1}']) {
    writeFileSync(result.manifest, text);
    assert.equal(await read(), undefined, text);
  }
  rmSync(result.manifest);
  assert.equal(await read(), undefined);
});

test("an output whose manifest was never written is finished by the next run of the same merge", async () => {
  const { input, output, result } = await mergeOne();
  rmSync(result.manifest);
  const before = statSync(result.output).ino;
  const again = await mergeHere({ input, output, duplicates: "last" });
  assert.equal(again.outcome, "done");
  assert.notEqual(statSync(result.output).ino, before);
  assert.equal((await mergeHere({ input, output, duplicates: "last" })).outcome, "already done");
  rmSync(result.manifest);
  const other = await failureOf(mergeHere({ input, output, duplicates: "first" }));
  assert.match(
    other.message,
    /the output exists, made from other inputs or settings: .*training_pair\.parquet: move it away, or pass --replace$/,
  );
});

test("copied inputs with other times are the same inputs; changed ones are not", async () => {
  const { input, output } = await mergeOne();
  const path = join(input, "pair", "a_pair.parquet");
  const bytes = readFileSync(path);
  rmSync(path);
  writeFileSync(path, bytes);
  assert.equal((await mergeHere({ input, output, duplicates: "last" })).outcome, "already done");
  const changed = Buffer.from(bytes);
  changed[40] = (changed[40] ?? 0) ^ 1;
  writeFileSync(path, changed);
  const sameSize = await failureOf(mergeHere({ input, output, duplicates: "last" }));
  assert.match(sameSize.message, /a_pair has changed since/);
  tables.a_pair.select("interval_time", "7").writeParquet(path);
  const failure = await failureOf(mergeHere({ input, output, duplicates: "last" }));
  assert.match(failure.message, /a_pair has changed since/);
  const replaced = await mergeHere({ input, output, duplicates: "last", replace: true });
  assert.deepEqual([replaced.outcome, replaced.columns], ["done", 4]);
});
