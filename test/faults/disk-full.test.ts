/** A disk that is too small, or that somebody else fills while the merge writes. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { mountTmpfs } from "./mount.ts";
import { checkRerun, checkState, disturb } from "./strike.ts";
import { listOutput, makeFolder, makeSample, problemLines, resultOf, runCli } from "./support.ts";

const mebibyte = 2 ** 20;
const probe = mountTmpfs({ after }, "size=1m");

describe("an output on a small disk", {
  skip: probe === undefined ? "cannot mount a tmpfs here (needs root)" : false,
}, () => {
  const samples = makeFolder({ after });
  const merge = ["merge", "audusd", "--input", samples, "--json", "--output"];
  let whole: Uint8Array = new Uint8Array();
  before(async () => {
    await makeSample(samples, { tables: 12, rows: 4000, misaligned: 0.5 });
    const run = await runCli([...merge, join(samples, "whole")]);
    assert.equal(run.exitCode, ExitCode.done, run.stdout);
    whole = readFileSync(join(samples, "whole", "training_audusd.parquet"));
  });

  it("is refused before the merge when it cannot fit", async (context) => {
    const disk = mountTmpfs(context, `size=${Math.floor(whole.length * 0.7)}`) ?? "";
    const output = join(disk, "out");
    const run = await runCli([...merge, output]);
    assert.equal(run.exitCode, ExitCode.input, run.stdout);
    const [line = ""] = problemLines(resultOf(run));
    assert.match(
      line,
      /not enough disk space for .*training_audusd\.parquet \| [\d.]+ [kM]?B free, [\d.]+ [kM]?B needed \| free space/,
    );
    assert.deepEqual(listOutput(output), []);
  });

  it("is refused when less is free than was asked for", async (context) => {
    const output = join(mountTmpfs(context, `size=${64 * mebibyte}`) ?? "", "out");
    const run = await runCli([...merge, output, "--disk-free", "100MiB"]);
    assert.equal(run.exitCode, ExitCode.input, run.stdout);
    assert.match(run.stdout, /"found":"[\d.]+ MB free, 105 MB needed"/);
    assert.deepEqual(listOutput(output), []);
  });

  for (const at of ["table 3", "footer"])
    it(`ends with exit 75 when the disk is full at ${at}, leaves nothing, and a rerun succeeds`, async (context) => {
      const disk = mountTmpfs(context, `size=${whole.length + 8 * mebibyte}`) ?? "";
      const output = join(disk, "out");
      const run = await disturb([...merge, output], at, () => fill(join(disk, "other")));
      assert.equal(run.exitCode, ExitCode.transient, run.stdout);
      const [line = ""] = problemLines(resultOf(run));
      assert.match(line, /storage failed \| ENOSPC.* \| the disk is full: free space/);
      assert.deepEqual(listOutput(output), []);
      rmSync(join(disk, "other"));
      await checkRerun([...merge, output], output, whole);
    });

  it("is whole but without its manifest when only that had no room, and a rerun succeeds", async (context) => {
    const disk = mountTmpfs(context, `size=${2 * whole.length + 8 * mebibyte}`) ?? "";
    const output = join(disk, "out");
    const run = await disturb([...merge, output], "before writeFile 1", () => fill(join(disk, "other")));
    assert.equal(run.exitCode, ExitCode.transient, run.stdout);
    assert.deepEqual(checkState(output, [whole]), ["training_audusd.parquet"]);
    assert.deepEqual(listOutput(output), ["training_audusd.parquet"]);
    rmSync(join(disk, "other"));
    await checkRerun([...merge, output], output, whole);
  });
});

/** Takes all the space that is left. */
function fill(path: string): boolean {
  for (const size of [mebibyte, 4096, 1]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
  return true;
}
