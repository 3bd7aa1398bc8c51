/** One way to spoil a checkpoint, and what the merge must say about it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { PairResult } from "../../src/model/result.ts";
import { copyCheckpoint, listOutput, makeFolder, problemLines, resultOf, runCli, snapshot } from "./support.ts";

export interface Refusal {
  /** Spoils the copy of the checkpoint, which lies in the folder `input`. */
  readonly spoil?: (checkpoint: string, input: string) => void;
  /** Further arguments of the merge. */
  readonly args?: (input: string) => readonly string[];
  /** Each matches one line "table | what | found | fix"; there are no others. */
  readonly problems: readonly RegExp[];
  readonly exitCode?: ExitCode;
}

/** Merges a spoiled copy through the command line: exit code, every problem, and nothing left or touched. */
export async function checkRefusal(context: TestContext, checkpoint: string, refusal: Refusal): Promise<PairResult> {
  const folder = makeFolder(context);
  const [input, output] = [join(folder, "in"), join(folder, "out")];
  const copy = copyCheckpoint(checkpoint, input);
  refusal.spoil?.(copy, input);
  const more = refusal.args?.(input) ?? [];
  const before = snapshot(input);
  const run = await runCli(["merge", "audusd", "--input", input, "--output", output, "--json", ...more]);
  const result = resultOf(run);
  assert.equal(run.exitCode, refusal.exitCode ?? ExitCode.input, run.stdout + run.stderr);
  assert.equal(result.exitCode, run.exitCode);
  compareLines(problemLines(result), refusal.problems);
  for (const { what, found, fix } of result.problems)
    assert.ok(what && found !== "" && fix, JSON.stringify(result.problems));
  assert.deepEqual(listOutput(output), []);
  assert.deepEqual(snapshot(input), before);
  return result;
}

/** Every pattern has its line, every line its pattern. */
function compareLines(lines: readonly string[], patterns: readonly RegExp[]): void {
  const text = lines.join("\n");
  for (const pattern of patterns)
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `no ${pattern} in\n${text}`,
    );
  const others = lines.filter((line) => !patterns.some((pattern) => pattern.test(line)));
  assert.deepEqual(others, [], "problems that nobody expected");
  assert.ok(lines.length >= patterns.length, text);
}
