/** Runs as a user starts them: real checkpoints, real workers, real signals. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { decodeOutcome } from "../../src/model/outcome.ts";
import { decodeProgress } from "../../src/model/progress.ts";
import { scratchFolder } from "../support/folder.ts";
import { makeRecord } from "../support/run.ts";
import { waitFor } from "../support/wait.ts";

const program = new URL("../../bin/widemerge", import.meta.url).pathname;
const folder = await scratchFolder("run-all");
const input = join(folder, "checkpoints");
const pairs = ["audusd", "eurjpy", "gbpusd", "usdchf"];

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function start(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Started {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("WIDEMERGE_"));
  const env = { ...Object.fromEntries(inherited), WIDEMERGE_LOG: "json", ...variables };
  const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  });
  const closed = once(child, "close");
  const ended = Promise.all([closed, ...texts]).then(([[code], stdout = "", stderr = ""]) => ({
    code,
    stdout,
    stderr,
  }));
  return { child, ended };
}

const run = (args: readonly string[], variables?: Readonly<Record<string, string>>) => start(args, variables).ended;

function newOutput(): string {
  return mkdtempSync(join(folder, "out-"));
}

const runAll = (output: string, ...flags: string[]) => [
  ...["run-all", "--input", input, "--output", output, "--pairs", pairs.join(","), "--no-sync"],
  ...["--memory-ceiling", "1GiB", "--parallelism", "2", ...flags],
];
const known = (command: string, output: string, ...flags: string[]) => [
  ...[command, "--input", input, "--output", output],
  ...flags,
];

function idOf(path: string): string {
  const { ino, mtimeNs, size } = statSync(path, { bigint: true });
  return [ino, mtimeNs, size].join();
}

const outputs = (output: string) => pairs.map((pair) => join(output, `training_${pair}.parquet`));
const runFile = (output: string, name: string) => {
  const [entry = ""] = readdirSync(join(output, "runs")).filter((file) => file.endsWith(".json"));
  return join(output, "runs", entry.replace(".json", ""), name);
};

const firstPair = { what: "the first pair's end", everyMilliseconds: 5 } as const;

/** What every output must hold: the bytes of one run that nothing disturbed. */
const whole = new Map<string, Buffer>();

before(async () => {
  const sample = ["sample", "--out", input, "--pairs", pairs.join(","), "--tables", "10", "--rows", "300"];
  assert.equal((await run([...sample, "--misaligned", "0.3"])).code, 0);
  const output = newOutput();
  const { code, stdout, stderr } = await run(runAll(output));
  assert.equal(code, ExitCode.done, stderr);
  assert.match(stdout, /4 pairs: 4 done/);
  for (const pair of pairs) whole.set(pair, readFileSync(join(output, `training_${pair}.parquet`)));
});

function checkWhole(output: string): void {
  for (const pair of pairs) {
    assert.deepEqual(readFileSync(join(output, `training_${pair}.parquet`)), whole.get(pair), pair);
    assert.ok(existsSync(join(output, `training_${pair}.manifest.json`)), pair);
  }
}

describe("run-all", { concurrency: 1 }, () => {
  it("leaves reports, costs, and a record of every worker", async () => {
    const output = newOutput();
    const { code, stdout } = await run(runAll(output, "--json", "--run", "first"));
    assert.equal(code, 0);
    const report = JSON.parse(stdout);
    assert.deepEqual([report.exitCode, report.run, report.totals.states], [0, "first", { done: 4 }]);
    const files = readdirSync(join(output, "runs", "first"));
    for (const name of ["run.json", "report.html", "report.json", "report.csv"]) assert.ok(files.includes(name), name);
    for (const pair of pairs) {
      const cost = JSON.parse(readFileSync(join(output, "runs", "first", "costs", `${pair}.json`), "utf8"));
      assert.equal(cost.attempts.length, 1);
      const [name = ""] = readdirSync(join(output, "runs", "first", "results", pair));
      const record = JSON.parse(readFileSync(join(output, "runs", "first", "results", pair, name), "utf8"));
      assert.equal(`${record.attempt}.json`, name);
      assert.deepEqual([record.pair, record.exitCode, record.result.rows], [pair, 0, 300]);
      assert.ok(record.memory.peakBytes > 50e6 && record.memory.ceilingBytes === 2 ** 30);
    }
    const before = outputs(output).map(idOf);
    const again = await run(runAll(output));
    assert.match(again.stdout, /4 pairs: 4 done before/);
    assert.deepEqual(outputs(output).map(idOf), before);
  });

  it("says what it would do and writes nothing", async () => {
    const output = join(newOutput(), "not-there");
    const { code, stdout } = await run(runAll(output, "--dry-run"));
    assert.equal(code, 0);
    assert.match(stdout, /^4 of 4 pairs to merge on local, 2 at a time, each under a ceiling of 1.00 GiB/);
    assert.match(stdout, /audusd +to do: no output yet {2}\| .*predicted peak \d+ MiB, fits/);
    assert.ok(!existsSync(join(output, "runs")));
  });

  it("without pairs merges every checkpoint under the input, and names the folders that are none", async () => {
    const output = newOutput();
    const checkpoints = join(newOutput(), "in");
    for (const pair of pairs.slice(0, 2)) cpSync(join(input, pair), join(checkpoints, pair), { recursive: true });
    mkdirSync(join(checkpoints, "notes"));
    const flags = ["--input", checkpoints, "--output", output, "--run", "new", "--memory-ceiling", "1GiB", "--no-sync"];
    const notice = /"message":"not merged, because they are not checkpoints: notes \(no targets\.parquet\)"/;
    const dry = await run(["run-all", ...flags, "--dry-run"]);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /^2 of 2 pairs to merge on local/);
    assert.match(dry.stderr, notice);
    assert.deepEqual(readdirSync(output), []);
    const { code, stdout, stderr } = await run(["run-all", ...flags]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^run new on local: 2 pairs: 2 done/);
    assert.match(stderr, notice);
    assert.deepEqual(readdirSync(output).sort(), [
      "runs",
      ...pairs.slice(0, 2).flatMap((pair) => [`training_${pair}.manifest.json`, `training_${pair}.parquet`]),
    ]);
    // The pairs of the run count from now on, whatever else is in the input.
    cpSync(join(input, "usdchf"), join(checkpoints, "usdchf"), { recursive: true });
    assert.match((await run(["run-all", ...flags])).stdout, /^run new on local: 2 pairs: 2 done/);
  });

  it("killed and started again: every output right, none made twice", async () => {
    const output = newOutput();
    const first = start(runAll(output));
    await waitFor(() => existsSync(join(output, `training_${pairs[0]}.manifest.json`)), firstPair);
    first.child.kill("SIGKILL");
    await first.ended;
    const before = outputs(output)
      .filter(existsSync)
      .map((path) => [path, idOf(path)]);
    const { code, stdout, stderr } = await run(runAll(output));
    assert.equal(code, 0, stderr);
    assert.match(stderr, /is not finished: continuing it/);
    assert.match(stdout, /4 pairs: 4 done/);
    checkWhole(output);
    for (const [path = "", id] of before) assert.equal(idOf(path), id);
    const results = readdirSync(runFile(output, "results"), { recursive: true }).filter((name) =>
      String(name).endsWith(".json"),
    );
    assert.equal(results.length, pairs.length, results.join(", "));
  });

  it("has one controller", async () => {
    const output = newOutput();
    const first = start(runAll(output, "--run", "x"));
    await waitFor(() => existsSync(join(output, "runs", "x", "run.json")), {
      what: "the start of the run",
      everyMilliseconds: 5,
    });
    const second = await run(runAll(output, "--run", "x"));
    assert.equal(second.code, ExitCode.transient);
    assert.match(
      second.stderr,
      /run x already has a controller: found process \d+ on .* since .*; follow it with .*; if it is lost, run the same/,
    );
    assert.equal((await first.ended).code, 0);
    checkWhole(output);
  });

  for (const [signal, exitCode] of [
    ["SIGINT", ExitCode.interrupted],
    ["SIGTERM", ExitCode.terminated],
  ] as const)
    it(`one ${signal} stops the workers of this machine; the same command goes on`, async () => {
      const output = newOutput();
      const first = start(runAll(output));
      await waitFor(() => existsSync(join(output, `training_${pairs[0]}.manifest.json`)), firstPair);
      first.child.kill(signal);
      const { code, stderr } = await first.ended;
      assert.equal(code, exitCode);
      assert.match(stderr, /Stopping the workers/);
      assert.deepEqual(
        readdirSync(output).filter((name) => name.startsWith(".")),
        [],
      );
      assert.ok(!existsSync(runFile(output, "lease.json")));
      assert.equal((await run(runAll(output))).code, 0);
      checkWhole(output);
    });

  it("a really small ceiling: the pairs climb to one that holds them", async () => {
    const output = newOutput();
    const flags = ["--memory-ceiling", "60MiB", "--memory-ceilings", "100MiB,1GiB"];
    const { code, stdout, stderr } = await run(runAll(output, ...flags));
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /audusd +done +3 /);
    checkWhole(output);
  });

  it("a pair that fails does not stop the others; status says what is wrong with it", async () => {
    const output = newOutput();
    const wrong = runAll(output, "--run", "x").map((word) => (word.startsWith("audusd,") ? `${word},missing` : word));
    const { code, stdout } = await run(wrong);
    assert.equal(code, ExitCode.input);
    assert.match(stdout, /5 pairs: 4 done, 1 failed/);
    checkWhole(output);
    const status = await run(known("status", output, "x"));
    assert.equal(status.code, ExitCode.input);
    assert.match(status.stdout, /missing: input: no checkpoint of missing in .*: check --input/);
  });

  it("cancel stops a run from outside; report writes what is known; run-all takes it up", async () => {
    const output = newOutput();
    const first = start(runAll(output, "--run", "x"));
    await waitFor(() => existsSync(join(output, `training_${pairs[0]}.manifest.json`)), firstPair);
    first.child.kill("SIGKILL");
    await first.ended;
    const cancelled = await run(known("cancel", output));
    assert.deepEqual([cancelled.code, cancelled.stdout], [0, "run x is cancelled\n"]);
    const status = await run(known("status", output, "--json"));
    assert.equal(JSON.parse(status.stdout).cancelled, true);
    rmSync(join(output, "runs", "x", "report.html"), { force: true });
    const report = await run(known("report", output));
    assert.equal(report.code, 0, report.stderr);
    assert.ok(existsSync(join(output, "runs", "x", "report.html")));
    assert.equal((await run(runAll(output, "--run", "last"))).code, 0);
    checkWhole(output);
  });
});

describe("merge as a worker of a run", () => {
  const worker = (output: string) => ({
    WIDEMERGE_INPUT: input,
    WIDEMERGE_OUTPUT: output,
    WIDEMERGE_PAIRS: "audusd,missing",
    WIDEMERGE_RUN: "x",
    WIDEMERGE_ATTEMPT: "pod-1",
    TERMINATION_MESSAGE_PATH: join(output, "message"),
    WIDEMERGE_PROGRESS_PATH: join(output, "progress"),
  });

  it("takes the pair of its index and leaves word of a good end", async () => {
    const output = newOutput();
    const { code } = await run(["merge"], { ...worker(output), CLOUD_RUN_TASK_INDEX: "0" });
    assert.equal(code, 0);
    const outcome = decodeOutcome(readFileSync(join(output, "message"), "utf8"));
    assert.match(outcome?.message ?? "", /^audusd: exit 0 done: 300 rows × \d+ columns; .*peak/);
    assert.deepEqual([outcome?.exitCode, outcome?.outcome, outcome?.problems], [0, "done", []]);
    assert.ok((outcome?.progress?.tables ?? 0) > 0);
    assert.equal(outcome?.progress?.tablesDone, outcome?.progress?.tables);
    const progress = decodeProgress(readFileSync(join(output, "progress"), "utf8"));
    assert.ok((progress?.workingSetBytes ?? 0) > 0);
    assert.ok(existsSync(join(output, "runs", "x", "results", "audusd", "pod-1.json")));
  });

  it("and of a bad one", async () => {
    const output = newOutput();
    const { code } = await run(["merge"], { ...worker(output), JOB_COMPLETION_INDEX: "1", CLOUD_RUN_TASK_INDEX: "0" });
    assert.equal(code, ExitCode.input);
    const outcome = decodeOutcome(readFileSync(join(output, "message"), "utf8"));
    assert.match(outcome?.message ?? "", /^missing: exit 3 input refused: no checkpoint of missing/);
    const record = JSON.parse(readFileSync(join(output, "runs", "x", "results", "missing", "pod-1.json"), "utf8"));
    assert.equal(record.exitCode, ExitCode.input);
    assert.deepEqual(outcome?.problems, record.result.problems);
  });

  it("of a controller that was replaced it stops before it reads an input, and writes nothing into the run", async () => {
    const output = newOutput();
    const place = { WIDEMERGE_LAUNCH: "0", WIDEMERGE_GENERATION: "1", CLOUD_RUN_TASK_INDEX: "0" };
    mkdirSync(join(output, "runs", "x"), { recursive: true });
    const record = { ...makeRecord(pairs), run: "x", generation: 2 };
    writeFileSync(join(output, "runs", "x", "run.json"), JSON.stringify(record));
    const { code, stderr } = await run(["merge"], { ...worker(output), ...place });
    assert.equal(code, ExitCode.superseded);
    assert.match(stderr, /this worker has no place in run x any more: found generation 1 of the worker, 2 of the run/);
    const outcome = decodeOutcome(readFileSync(join(output, "message"), "utf8"));
    assert.deepEqual([outcome?.exitCode, outcome?.outcome], [6, "superseded"]);
    assert.deepEqual(readdirSync(join(output, "runs", "x")), ["run.json"]);
    assert.ok(!existsSync(join(output, "training_audusd.parquet")));
  });

  it("without a pair for its index it says so", async () => {
    const output = newOutput();
    mkdirSync(output, { recursive: true });
    const { code, stderr } = await run(["merge"], { ...worker(output), JOB_COMPLETION_INDEX: "2" });
    assert.equal(code, ExitCode.usage);
    const outcome = decodeOutcome(readFileSync(join(output, "message"), "utf8"));
    assert.deepEqual([outcome?.exitCode, outcome?.problems[0]?.what], [2, "no pair to merge"]);
    assert.match(stderr, /no pair to merge: found JOB_COMPLETION_INDEX=\\"2\\" with 2 pairs/);
  });
});
