/** A merge that is ended at any instant leaves the old state or the new one, and a rerun finishes the work. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { checkRerun, checkRerunHere, checkState, type Struck, strike, type Victim } from "./strike.ts";
import { finishedNames, listOutput, makeFolder, makeSample, runCli } from "./support.ts";

const onLinux = { skip: process.platform === "linux" ? false : "needs /proc", concurrency: 2 };
/** In the order in which a first merge comes to them. */
const stages = ["inventory", "preflight", "plan", "merge", "table 3", "footer", "verify", "publish"];
const publishing = [
  // The first link is that of the check for hard links.
  "after link 1",
  "before link 2",
  "after link 2",
  "before writeFile 1",
  "after writeFile 1",
  "before writeFile 2",
  "after writeFile 2",
  "before rename 1",
  "after rename 1",
];
/** Where an existing output is replaced: its manifest goes first, the new one comes last. */
const replacing = [
  "publish",
  "before rm 1",
  "after rm 1",
  "before rename 1",
  "after rename 1",
  "after writeFile 1",
  "after writeFile 2",
  "before rename 2",
  "after rename 2",
];
const victims: readonly Victim[] = ["supervisor", "child", "group"];

interface Setting {
  readonly args: readonly string[];
  readonly output: string;
}

const samples = makeFolder({ after });
let whole: Uint8Array = new Uint8Array();
let old: Uint8Array = new Uint8Array();
const oldOutput = join(samples, "old");

before(async () => {
  await makeSample(samples, { tables: 8, rows: 400, misaligned: 0.5 });
  const merge = ["merge", "audusd", "--input", samples, "--output"];
  const runs = [
    await runCli([...merge, join(samples, "whole")]),
    await runCli([...merge, oldOutput, "--row-group-rows", "100"]),
  ];
  for (const run of runs) assert.equal(run.exitCode, ExitCode.done, run.stdout);
  whole = readFileSync(join(samples, "whole", "training_audusd.parquet"));
  old = readFileSync(join(oldOutput, "training_audusd.parquet"));
});

function makeSetting(context: TestContext): Setting {
  const output = join(makeFolder(context), "out");
  return { output, args: ["merge", "audusd", "--input", samples, "--output", output] };
}

describe("killed without warning", onLinux, () => {
  for (const at of [...stages, ...publishing])
    for (const victim of victims)
      it(`${victim} at ${at}`, async (context) => {
        const { args, output } = makeSetting(context);
        const end = await strike(args, { signal: "SIGKILL", victim, at });
        assert.ok(end.hit, `the merge was over: ${end.stdout}`);
        if (victim === "child") assertExit(end, ExitCode.memory, /killed from outside/);
        else assert.equal(end.signal, "SIGKILL");
        checkState(output, [whole]);
        if (victim === "group") await checkRerun(args, output, whole);
        else await checkRerunHere({ input: samples }, output, whole);
      });
});

describe("interrupted", onLinux, () => {
  const codes = { SIGINT: ExitCode.interrupted, SIGTERM: ExitCode.terminated } as const;
  for (const [signal, code] of Object.entries(codes) as [keyof typeof codes, ExitCode][])
    for (const [index, at] of stages.entries())
      it(`by ${signal} at ${at}`, async (context) => {
        const { args, output } = makeSetting(context);
        const end = await strike(args, { signal, victim: index % 2 === 0 ? "supervisor" : "group", at });
        assert.ok(end.hit);
        // A merge that is through with its checks may publish before it hears of it: that is the new state.
        if (end.exitCode === ExitCode.done) assert.ok(at === "verify" || at === "publish", `done after ${at}`);
        else assertExit(end, code, new RegExp(`ended from outside: found ${signal}; run again`));
        assert.deepEqual(listOutput(output), end.exitCode === ExitCode.done ? finishedNames : []);
        checkState(output, [whole]);
        await checkRerunHere({ input: samples }, output, whole);
      });
});

describe("killed while it replaces an output", onLinux, () => {
  for (const [index, at] of replacing.entries())
    it(`at ${at}`, async (context) => {
      const { args, output } = makeSetting(context);
      cpSync(oldOutput, output, { recursive: true });
      const replace = [...args, "--replace"];
      const end = await strike(replace, { signal: "SIGKILL", victim: victims[index % 3] ?? "group", at });
      assert.ok(end.hit);
      const names = checkState(output, [old, whole]);
      assert.ok(names.includes("training_audusd.parquet"), "an output is there at any instant");
      await checkRerunHere({ input: samples, replace: true }, output, whole);
    });
});

describe("killed at any moment", onLinux, () => {
  const large = makeFolder({ after });
  let largeWhole: Uint8Array = new Uint8Array();
  const merge = ["merge", "audusd", "--input", large, "--output"];
  let usualMs = 0;
  before(async () => {
    await makeSample(large, { tables: 60, rows: 20_000, misaligned: 0.5 });
    const start = performance.now();
    const run = await runCli([...merge, join(large, "whole")]);
    usualMs = performance.now() - start;
    assert.equal(run.exitCode, ExitCode.done, run.stdout);
    largeWhole = readFileSync(join(large, "whole", "training_audusd.parquet"));
  });

  for (let part = 0; part < 12; part += 1)
    it(`after ${part + 1} thirteenths of its time`, async (context) => {
      const output = join(makeFolder(context), "out");
      const args = [...merge, output];
      const at = Math.round((usualMs * (part + 1)) / 13);
      const signal = part % 4 === 3 ? "SIGTERM" : "SIGKILL";
      const end = await strike(args, { signal, victim: victims[part % 3] ?? "group", at });
      if (signal === "SIGTERM")
        assert.deepEqual(
          listOutput(output).filter((name) => name.startsWith(".")),
          [],
        );
      checkState(output, [largeWhole]);
      if (end.hit && part % 3 !== 1) return;
      await checkRerun(args, output, largeWhole);
    });
});

it("an orphan ends by itself where nothing binds it to its supervisor", onLinux, async (context) => {
  const { args, output } = makeSetting(context);
  const tools = join(dirname(output), "tools");
  mkdirSync(tools);
  const named = [
    ["readlink", "dirname", "cat", "sh"].map((name) => [name, `/usr/bin/${name}`]),
    [["node", process.execPath]],
  ];
  for (const [name = "", target = ""] of named.flat()) symlinkSync(target, join(tools, name));
  const end = await strike(args, { signal: "SIGKILL", victim: "supervisor", at: "table 3" }, { PATH: tools });
  assert.ok(end.hit);
  assert.deepEqual(listOutput(output), []);
  await checkRerun(args, output, whole);
});

function assertExit(end: Struck, exitCode: ExitCode, problem: RegExp): void {
  assert.equal(end.exitCode, exitCode, end.stdout + end.stderr);
  assert.match(end.stdout, problem);
}
