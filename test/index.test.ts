/** The API, on the sources of the checkout; test/package/ tests it as it is installed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { mergeSettings, type SettingName } from "../src/config/settings.ts";
import { ExitCode, Failure, type MergeOptions, merge, type ProgressEvent, plan, verify } from "../src/index.ts";
import { scratchFolder } from "./support/folder.ts";

const program = new URL("../bin/widemerge", import.meta.url).pathname;
const folder = await scratchFolder("api");
const input = join(folder, "checkpoints");
let outputs = 0;

/** Options for an output of its own. */
function makeOptions() {
  outputs += 1;
  return { input, output: join(folder, `out-${outputs}`), memoryCeiling: "1GiB" } as const;
}

async function failureOf(task: Promise<unknown>): Promise<Failure> {
  const error = await task.then(
    () => assert.fail("the task is done"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Failure, String(error));
  return error;
}

before(() => {
  const shape = ["--tables", "12", "--rows", "400", "--misaligned", "0.3"];
  execFileSync(program, ["sample", "--out", input, "--pairs", "audusd", ...shape]);
  // Long enough at work to be stopped in the middle.
  execFileSync(program, ["sample", "--out", input, "--pairs", "eurjpy", "--tables", "80", "--rows", "6000"]);
});

describe("the functions", () => {
  test("plan, merge and verify a pair, and report their progress", async () => {
    const options = makeOptions();
    const planned = await plan({ ...options, pair: "audusd" });
    assert.equal(planned.tables.length, 13);
    assert.ok(planned.predictedPeakBytes < planned.ceilingBytes);
    const events: ProgressEvent[] = [];
    const result = await merge({ ...options, pair: "audusd", onProgress: (event) => events.push(event) });
    assert.deepEqual([result.outcome, result.rows, result.columns], ["done", planned.rows, planned.columns]);
    assert.equal(result.output, join(options.output, "training_audusd.parquet"));
    const stages = events.filter((event) => event.type === "stage").map(({ stage }) => stage);
    assert.deepEqual(stages, ["inventory", "preflight", "plan", "merge", "footer", "verify", "publish"]);
    const done = events.flatMap((event) => (event.type === "progress" && event.stage === "merge" ? [event] : []));
    assert.deepEqual([done.at(-1)?.tablesDone, done.at(-1)?.tables], [13, 13]);
    const memory = events.flatMap((event) => (event.type === "memory" ? [event] : []));
    assert.ok(memory.length > 0 && memory.every(({ workingSetBytes }) => workingSetBytes > 20e6));
    assert.equal(memory[0]?.ceilingBytes, 2 ** 30);
    const verified = await verify({ ...options, target: "audusd", level: "full" });
    assert.deepEqual([verified.level, verified.rows, verified.problems], ["full", result.rows, []]);
    assert.equal((await merge({ ...options, pair: "audusd" })).outcome, "already done");
    assert.equal((await verify({ target: result.output })).level, "structure");
  });

  test("have an option for every setting of a merge that is not about a run or a log", () => {
    type Own = "pair" | "onProgress" | "signal";
    const covered: Readonly<Record<Exclude<keyof MergeOptions, Own>, true>> = {
      input: true,
      output: true,
      memoryCeiling: true,
      memoryWarn: true,
      memoryFree: true,
      diskFree: true,
      key: true,
      targets: true,
      duplicates: true,
      nullKeys: true,
      minMatch: true,
      naming: true,
      rowGroupRows: true,
      folders: true,
      separator: true,
      rename: true,
      keyCast: true,
      keepIndex: true,
      tables: true,
      excludeTables: true,
      expectTables: true,
      requireMarker: true,
      verify: true,
      replace: true,
      sync: true,
      memoryScope: true,
      assembly: true,
      stallSeconds: true,
      gcsEndpoint: true,
    };
    const commandLineOnly: readonly SettingName[] = ["log", "quiet", "verbose", "logEvery", "run", "attempt"];
    const names = mergeSettings.filter((name) => !commandLineOnly.includes(name));
    assert.deepEqual(Object.keys(covered).sort(), [...names].sort());
  });
});

describe("a failure", () => {
  test("lists every problem with its exit code, and names the options", async () => {
    // @ts-expect-error: a value that is not allowed, as JavaScript could pass it
    const task = merge({ ...makeOptions(), pair: "audusd", verify: "all", naming: "short", fast: true });
    const { exitCode, problems, message } = await failureOf(task);
    assert.equal(exitCode, ExitCode.usage);
    assert.equal(problems.length, 3);
    assert.match(message, /^naming is not allowed: found "short"; allowed: prefix or keep$/m);
    assert.match(message, /^verify is not allowed: found "all"; allowed: structure, sample or full$/m);
    assert.match(message, /^unknown setting fast: found true; /m);
  });

  test("comes from the checkpoint, the ceiling and the output as from the commands", async () => {
    const options = makeOptions();
    const missing = await failureOf(merge({ ...options, pair: "nzdusd" }));
    assert.equal(missing.exitCode, ExitCode.input);
    assert.match(missing.message, /^no checkpoint of nzdusd/);
    assert.equal((await failureOf(plan({ ...options, pair: "../x" }))).exitCode, ExitCode.usage);
    const low = { ...options, pair: "audusd", memoryCeiling: "64MiB" };
    assert.equal((await failureOf(merge(low))).exitCode, ExitCode.memory);
    const { output } = await merge({ ...options, pair: "audusd" });
    const bytes = readFileSync(output);
    writeFileSync(output, bytes.subarray(0, bytes.length - 100));
    const broken = await failureOf(verify({ target: output }));
    assert.equal(broken.exitCode, ExitCode.verification);
    assert.notEqual(broken.problems.length, 0);
  });
});

describe("a task that is stopped", () => {
  /** Aborts, or throws, when the merge has begun. */
  const onMerge = (act: () => void) => (event: ProgressEvent) => {
    if (event.type === "stage" && event.stage === "merge") act();
  };

  test("by its signal removes what it has written and rejects with the reason", async () => {
    const options = makeOptions();
    const stop = new AbortController();
    const reason = new Error("enough");
    const onProgress = onMerge(() => stop.abort(reason));
    const task = merge({ ...options, pair: "eurjpy", verify: "full", signal: stop.signal, onProgress });
    const failure = await failureOf(task);
    assert.deepEqual([failure.exitCode, failure.cause], [ExitCode.interrupted, reason]);
    assert.equal(failure.message, "the task was aborted: start it again: nothing unfinished is left");
    assert.deepEqual(readdirSync(options.output), []);
    assert.equal((await merge({ ...options, pair: "eurjpy" })).outcome, "done");
  });

  test("before it began starts nothing", async () => {
    const options = makeOptions();
    const failure = await failureOf(merge({ ...options, pair: "audusd", signal: AbortSignal.abort() }));
    assert.equal(failure.exitCode, ExitCode.interrupted);
    assert.throws(() => readdirSync(options.output), { code: "ENOENT" });
  });

  test("by an error of its observer rejects with that error", async () => {
    const options = makeOptions();
    const error = new Error("observer");
    const onProgress = onMerge(() => {
      throw error;
    });
    await assert.rejects(merge({ ...options, pair: "eurjpy", verify: "full", onProgress }), error);
    assert.deepEqual(readdirSync(options.output), []);
  });
});
