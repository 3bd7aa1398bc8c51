/** The measured peak lies within the prediction, over many shapes of checkpoints, and the prediction is not far off. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../../src/model/exit-code.ts";
import type { PairResult } from "../../../src/model/result.ts";
import { makePrefixed, type PrefixedShape } from "../../faults/prefixed.ts";
import { makeShape, type Shape } from "../../faults/shapes.ts";
import { checkManifest, listOutput, makeFolder, problemLines, resultOf, runCli } from "../../faults/support.ts";

const mebibyte = 2 ** 20;
/** Where memory matters, a prediction beyond this multiple would refuse merges that fit. */
const loosest = 2;
const mattersFrom = 300 * mebibyte;

type Levels = readonly ("structure" | "sample" | "full")[];

const shapes: Readonly<Record<string, readonly [Shape | PrefixedShape, ...Levels]>> = {
  "few short tables": [{ rows: 1000, tables: 5, columns: 4 }, "structure", "full"],
  "few short tables, misaligned": [{ rows: 1000, tables: 5, columns: 4, misaligned: 1 }, "structure", "full"],
  "many tables": [{ rows: 1000, tables: 200, columns: 20 }, "structure", "sample"],
  "many tables, misaligned": [{ rows: 1000, tables: 200, columns: 10, misaligned: 1 }, "structure", "full"],
  "many narrow tables, half misaligned": [{ rows: 2000, tables: 120, columns: 2, misaligned: 0.5 }, "structure"],
  "middling tables": [{ rows: 50_000, tables: 10, columns: 20 }, "structure", "full"],
  "middling tables, half misaligned": [{ rows: 50_000, tables: 10, columns: 20, misaligned: 0.5 }, "sample"],
  "middling tables, misaligned": [{ rows: 50_000, tables: 10, columns: 20, misaligned: 1 }, "structure", "full"],
  "wide tables": [{ rows: 50_000, tables: 2, columns: 150 }, "structure", "full"],
  "wide tables, misaligned": [{ rows: 50_000, tables: 3, columns: 150, misaligned: 1 }, "structure", "sample"],
  "very wide tables, misaligned": [{ rows: 20_000, tables: 2, columns: 600, misaligned: 1 }, "structure"],
  "long tables": [{ rows: 200_000, tables: 3, columns: 20 }, "structure", "full"],
  "long tables, misaligned": [{ rows: 200_000, tables: 4, columns: 20, misaligned: 1 }, "structure", "full"],
  "long narrow tables, misaligned": [{ rows: 200_000, tables: 8, columns: 2, misaligned: 1 }, "sample"],
  "texts that repeat": [{ rows: 100_000, tables: 3, columns: 10, texts: "few", misaligned: 1 }, "structure", "full"],
  "texts that differ": [{ rows: 50_000, tables: 3, columns: 10, texts: "unique", misaligned: 1 }, "structure", "full"],
  "texts that are copied": [{ rows: 50_000, tables: 3, columns: 10, texts: "unique" }, "sample"],
  "some row groups": [
    { rows: 100_000, tables: 4, columns: 20, groupRows: 10_000, misaligned: 0.5 },
    "structure",
    "sample",
  ],
  "many row groups": [{ rows: 20_000, tables: 10, columns: 20, groupRows: 200 }, "structure"],
  "many row groups, half misaligned": [
    { rows: 20_000, tables: 4, columns: 20, groupRows: 200, misaligned: 0.5 },
    "structure",
  ],
  "thousands of small tables": [{ rows: 50, tables: 5000, columns: 1, misaligned: 0.2 }, "structure"],
  "prefixes in values": [{ rows: 20_000, tables: 2, prefix: 2000, texts: "values" }, "structure"],
  "prefixes in values, row groups": [
    { rows: 20_000, tables: 2, prefix: 2000, texts: "values", groupRows: 2000 },
    "structure",
  ],
  "prefixes in keys": [{ rows: 20_000, tables: 3, prefix: 2000, texts: "key" }, "structure"],
  "prefixes in keys, row groups": [
    { rows: 20_000, tables: 3, prefix: 1000, texts: "key", groupRows: 4000 },
    "structure",
  ],
};

describe("the measured peak lies within the prediction", () => {
  const lines: string[] = [];
  after(() => {
    const head = ["shape".padEnd(38), "verify".padEnd(10), "measured", "predicted", "ratio"].join(" ");
    process.stdout.write(`\n${head}\n${lines.join("\n")}\n`);
  });

  for (const [name, [shape, ...levels]] of Object.entries(shapes))
    it(name, async (context) => {
      const folder = makeFolder(context);
      if ("prefix" in shape) makePrefixed(folder, shape);
      else await makeShape(folder, shape);
      for (const level of levels) {
        const result = await merge(folder, join(folder, "out"), ["--verify", level, "--memory-ceiling", "8GiB"]);
        assert.equal(result.exitCode, ExitCode.done, problemLines(result).join("\n"));
        lines.push(describeRow(name, level, result));
        checkPrediction(result);
        rmSync(join(folder, "out"), { recursive: true });
      }
    });
});

function describeRow(name: string, level: string, { peakMemoryBytes, predictedPeakBytes }: PairResult): string {
  const inMebibytes = (bytes: number): string => `${Math.round(bytes / mebibyte)} MiB`.padStart(8);
  const ratio = (predictedPeakBytes / peakMemoryBytes).toFixed(2);
  const sizes = `${inMebibytes(peakMemoryBytes)} ${inMebibytes(predictedPeakBytes).padStart(9)} ${ratio.padStart(5)}`;
  return `${name.padEnd(38)} ${level.padEnd(10)} ${sizes}`;
}

function checkPrediction({ peakMemoryBytes, predictedPeakBytes }: PairResult): void {
  assert.ok(peakMemoryBytes <= predictedPeakBytes, `${peakMemoryBytes} measured, ${predictedPeakBytes} predicted`);
  if (peakMemoryBytes > mattersFrom) assert.ok(predictedPeakBytes / peakMemoryBytes <= loosest);
}

describe("a plan that does not fit under the ceiling", () => {
  const folder = makeFolder({ after });
  before(() => makeShape(folder, { rows: 100_000, tables: 3, columns: 40, misaligned: 1 }));

  it("is refused before anything is read in bulk, and runs under the ceiling that the refusal names", async (context) => {
    const output = join(makeFolder(context), "out");
    const refused = await merge(folder, output, ["--memory-ceiling", "300MiB"]);
    assert.equal(refused.exitCode, ExitCode.memory);
    const [line = ""] = problemLines(refused);
    assert.match(line, /predicted peak memory does not fit under the ceiling \| \d+ MiB predicted, ceiling 300 MiB/);
    assert.deepEqual(listOutput(output), []);
    assert.ok(refused.peakMemoryBytes < 260 * mebibyte, `${refused.peakMemoryBytes} bytes for a plan`);

    const smallest = /--memory-ceiling (\d+)MiB/.exec(line)?.[1] ?? "";
    const done = await merge(folder, output, ["--memory-ceiling", `${smallest}MiB`]);
    assert.equal(done.exitCode, ExitCode.done, problemLines(done).join("\n"));
    assert.ok(done.peakMemoryBytes <= done.predictedPeakBytes);
    checkManifest(output);
  });

  it("is what plan says before", async (context) => {
    const output = join(makeFolder(context), "out");
    const run = await runCli(["plan", "audusd", "--input", folder, "--output", output, "--memory-ceiling", "300MiB"]);
    assert.equal(run.exitCode, ExitCode.done, run.stderr);
    assert.match(run.stdout, /memory .* MiB predicted peak, does not fit under the ceiling of 300 MiB/);
  });
});

async function merge(input: string, output: string, more: readonly string[]): Promise<PairResult> {
  return resultOf(await runCli(["merge", "audusd", "--input", input, "--output", output, "--json", ...more]));
}
