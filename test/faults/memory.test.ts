/** Memory that runs out in the middle of a merge. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findCgroup } from "../../src/memory/cgroup.ts";
import { readProcess } from "../../src/memory/process.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { enterGroup, makeGroup } from "../support/control-group.ts";
import { checkRerun, checkState, childrenOf, disturb } from "./strike.ts";
import { listOutput, makeFolder, makeSample, problemLines, resultOf, runCli } from "./support.ts";

const mebibyte = 2 ** 20;
const limitBytes = 600 * mebibyte;
const samples = makeFolder({ after });
const merge = ["merge", "audusd", "--input", samples, "--json", "--output"];
let whole: Uint8Array = new Uint8Array();

before(async () => {
  await makeSample(samples, { tables: 12, rows: 2000, misaligned: 0.5 });
  const run = await runCli([...merge, join(samples, "whole")]);
  assert.equal(run.exitCode, ExitCode.done, run.stdout);
  whole = readFileSync(join(samples, "whole", "training_audusd.parquet"));
});

it("a working set that grows past the ceiling ends the merge with exit 4", async (context) => {
  const output = join(makeFolder(context), "out");
  const grow = { ANNOUNCE_GROW: String(500 * mebibyte) };
  const args = [...merge, output, "--memory-ceiling", "500MiB"];
  const run = await disturb(args, "table 3", () => true, grow);
  assert.equal(run.exitCode, ExitCode.memory, run.stdout + run.stderr);
  const [line = ""] = problemLines(resultOf(run));
  assert.match(line, /memory ceiling was reached|refused memory/);
  assert.match(line, /peak \d+ MiB of 500 MiB, last samples \d+ MiB at \d+\.\d s.* \| raise memoryCeiling/);
  checkState(output, [whole]);
  await checkRerun([...merge, output], output, whole);
});

const group = makeGroup(limitBytes);

describe("in a control group of 600 MiB", { skip: "dir" in group ? false : group.reason }, () => {
  const dir = "dir" in group ? group.dir : "";
  after(() => rmdirSync(dir));
  const inside = enterGroup(dir);

  it("a neighbour that takes the memory ends the merge with exit 4, and nothing is left", async (context) => {
    const output = join(makeFolder(context), "out");
    const hold = { ANNOUNCE_HOLD_MS: "20000" };
    const hog = { stop: () => undefined as unknown };
    const run = await disturb(
      [...merge, output],
      "table 3",
      () => {
        hog.stop = startHog(dir, limitBytes * 0.98);
        return true;
      },
      hold,
      inside,
    );
    hog.stop();
    assert.equal(run.exitCode, ExitCode.memory, run.stdout + run.stderr);
    const result = resultOf(run);
    assert.equal(result.ceilingBytes, limitBytes);
    assert.match(
      problemLines(result)[0] ?? "",
      /memory ceiling was reached \| a working set of 5\d\d MiB .* last samples/,
    );
    assert.deepEqual(listOutput(output), []);
    await sleep(200);
    await checkRerun([...merge, output], output, whole);
  });

  it("a real out-of-memory kill of the child becomes exit 4", async (context) => {
    const output = join(makeFolder(context), "out");
    const grow = { ANNOUNCE_GROW: String(2 * limitBytes) };
    const run = await disturb([...merge, output], "table 3", letItGrow, grow, inside);
    assert.equal(run.exitCode, ExitCode.memory, run.stdout + run.stderr);
    const [line = ""] = problemLines(resultOf(run));
    assert.match(
      line,
      /out-of-memory killer ended the merge \| signal SIGKILL, and .* rose by 1; peak .* last samples/,
    );
    checkState(output, [whole]);
    await checkRerun([...merge, output], output, whole);
  });
});

/** Takes memory in the group from outside the merge; returns how to end that. */
function startHog(dir: string, bytes: number): () => void {
  const script = fileURLToPath(new URL("hog.ts", import.meta.url));
  const version = String(findCgroup("memory", "/")?.version);
  const [shell = "", ...enter] = enterGroup(dir);
  const args = [...enter, process.execPath, "--no-warnings", script, dir, version, String(Math.floor(bytes))];
  const hog = spawn(shell, args, { stdio: "ignore" });
  return () => hog.kill("SIGKILL");
}

/** The guard sleeps while the child grows: then only the kernel can act. */
async function letItGrow(supervisor: number): Promise<boolean> {
  const [child] = childrenOf(supervisor);
  process.kill(supervisor, "SIGSTOP");
  for (let tries = 0; tries < 200 && child !== undefined && readProcess(child) !== undefined; tries += 1)
    await sleep(50);
  process.kill(supervisor, "SIGCONT");
  return child !== undefined;
}
