/** What stands in the way of an output, and folders that vanish while it is made: named, and never exit 1. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runTask } from "../../../src/merge/run.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { toFailure } from "../../../src/model/failure.ts";
import { localStore } from "../../../src/store/local/store.ts";
import { makeShape } from "../../faults/shapes.ts";
import { checkManifest, makeFolder, startCli } from "../../faults/support.ts";
import { failureOf, limits, makeContext, makeSettings, mergeHere, TestPort } from "../../support/in-process.ts";

describe("what stands in the way of an output", () => {
  const input = makeFolder({ after });
  before(() => makeShape(input, { rows: 200, tables: 2, columns: 2, misaligned: 0.5 }));
  const names = ["training_audusd.parquet", "training_audusd.manifest.json"];

  const obstacles: readonly (readonly [string, (path: string) => void])[] = [
    ["a folder", (path) => mkdirSync(path)],
    ["a link to nothing", (path) => symlinkSync(`${path}.gone`, path)],
    ["a link that leads back to itself", (path) => symlinkSync(path, path)],
    ["a device", (path) => symlinkSync("/dev/null", path)],
  ];
  for (const [what, put] of obstacles)
    it(`${what} in the place of the output and of the manifest is refused before anything is read`, async (context) => {
      const output = makeFolder(context);
      const paths = names.map((name) => join(output, name));
      for (const path of paths) put(path);
      const port = new TestPort();
      const failure = await failureOf(mergeHere({ input, output }, "audusd", port));
      assert.equal(failure.exitCode, ExitCode.input);
      assert.deepEqual(
        failure.problems.map(({ what: problem, found }) => [problem, found]),
        paths.map((path) => [`something else has the name of a file to write: ${path}`, what]),
      );
      assert.ok(!port.events.some((event) => event.type === "stage" && event.stage === "preflight"));
      assert.deepEqual(readdirSync(output).sort(), names.toSorted());
    });

  it("a loop of links above the output or the checkpoint is named", async (context) => {
    const folder = makeFolder(context);
    symlinkSync("loop", join(folder, "loop"));
    const loop = join(folder, "loop", "deep");
    for (const given of [
      { input, output: loop },
      { input: loop, output: join(folder, "out") },
    ]) {
      const failure = toFailure(await mergeHere(given, "audusd").catch((error: unknown) => error));
      assert.equal(failure.exitCode, ExitCode.input);
      assert.match(failure.message, /^storage failed: found ELOOP.*; a symbolic link leads back to itself/);
    }
  });

  for (const stage of ["footer", "verify", "publish"])
    it(`the output folder is removed before the stage ${stage}: exit 75, and a rerun succeeds`, async (context) => {
      const output = join(makeFolder(context), "out");
      const port = new TestPort((event) => {
        if (event.type === "stage" && event.stage === stage) rmSync(output, { recursive: true });
      });
      const failure = await failureOf(mergeHere({ input, output }, "audusd", port));
      assert.equal(failure.exitCode, ExitCode.transient, failure.message);
      assert.match(
        failure.message,
        /^the output was removed while it was being made: .*training_audusd\.parquet: check/,
      );
      await mergeHere({ input, output }, "audusd");
      checkManifest(output);
    });

  it("the output folder is removed before the manifest: exit 75, and no manifest without its output", async (context) => {
    const output = join(makeFolder(context), "out");
    const store = {
      ...localStore,
      stat: async (path: string) => {
        if (path.endsWith("manifest.json")) rmSync(output, { recursive: true, force: true });
        return localStore.stat(path);
      },
    };
    const settings = makeSettings({ input, output });
    const task = { command: "merge", pair: "audusd", settings, limits } as const;
    const failure = await failureOf(runTask(task, makeContext(new TestPort(), store)));
    assert.equal(failure.exitCode, ExitCode.transient, failure.message);
    assert.match(failure.message, /^the output was removed while it was being made/);
  });

  const shells: readonly (readonly [string, string, ExitCode, RegExp])[] = [
    ["24 descriptors", "ulimit -n 24", ExitCode.transient, /EMFILE; too many open files: raise `ulimit -n`/],
    ["files of a few KiB at most", "ulimit -f 8", ExitCode.input, /EFBIG: .*`ulimit -f` allows no file of this size/],
  ];
  for (const [name, limit, exitCode, says] of shells)
    it(`${name}: a named stop`, async (context) => {
      const output = join(makeFolder(context), "out");
      const launcher = ["sh", "-c", `${limit}; exec "$@"`, "sh"];
      const run = await startCli(["merge", "audusd", "--input", input, "--output", output, "--json"], {}, launcher)
        .ended;
      assert.equal(run.exitCode, exitCode, run.stdout + run.stderr);
      assert.match(run.stderr, says);
    });
});
