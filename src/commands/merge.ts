import { Command } from "commander";
import { ExitCode, outcomeOf } from "../contract/exit.ts";
import { toFailure } from "../contract/failure.ts";
import type { MemoryRecord } from "../contract/measure.ts";
import { nameOutputs } from "../contract/output.ts";
import type { PairResult } from "../contract/result.ts";
import { type SettingName, settingNames } from "../contract/settings.ts";
import { describeResult } from "../report/text.ts";
import { localStore } from "../store/local.ts";
import { type GuardedEnd, parsePair, runGuarded } from "./guarded.ts";
import { addSettings, readSettings } from "./settings.ts";

/** Settings that a merge of one pair takes as flags. */
export const mergeSettings: readonly SettingName[] = settingNames.filter((name) => name !== "pairs");

const guide = `
The output has exactly the targets' rows in their order. A table whose key column is proven equal to the targets' is
spliced: its encoded column chunks are copied without decoding. Any other table is aligned by a left join on the key.
The output appears under its name only when it is whole and verified; its manifest is written last and means "done".

Exit codes: 0 done or already done, 1 unexpected, 2 usage, 3 input refused, 4 memory ceiling, 5 verification failed,
75 storage failed (try again), 130/143 interrupted.

Examples:
  widemerge merge audusd --input checkpoints --output training
  widemerge merge audusd --config profiles/27-pairs.yaml --memory-ceiling 8GiB --verify sample --json
`;

/** The command `widemerge merge <pair>`. */
export function mergeCommand(): Command {
  const command = new Command("merge")
    .argument("<pair>", "pair to merge, such as audusd")
    .description("merge the feature tables of one pair and its targets into one wide training file")
    .option("--json", "print the result as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, mergeSettings).action(mergePair);
}

async function mergePair(pair: string, flags: Readonly<Record<string, unknown>>, command: Command): Promise<void> {
  try {
    const result = toResult(pair, await startMerge(pair, flags, command));
    process.stdout.write(flags.json === true ? `${JSON.stringify(result)}\n` : describeResult(result));
    process.exitCode = result.exitCode;
  } catch (error) {
    // A script that asked for a document gets one, also when nothing could be started.
    if (flags.json !== true) throw error;
    const { exitCode, problems } = toFailure(error);
    process.stdout.write(`${JSON.stringify(toResult(pair, { exitCode, problems, memory: unmeasured, seconds: 0 }))}\n`);
    process.exitCode = exitCode;
  }
}

const unmeasured: MemoryRecord = { source: "rss", peakBytes: 0, ceilingBytes: 0, warnings: 0, samples: [] };

async function startMerge(
  pair: string,
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<GuardedEnd> {
  const settings = readSettings(flags, command);
  const end = await runGuarded({ command: "merge", pair: parsePair(pair), settings }, settings);
  if (end.exitCode !== ExitCode.done) await sweep(settings.output, pair);
  return end;
}

/** A child that was killed could not remove what it had staged. */
async function sweep(folder: string, pair: string): Promise<void> {
  for (const name of Object.values(nameOutputs(pair))) await localStore.sweep(localStore.join(folder, name));
}

function toResult(pair: string, end: GuardedEnd): PairResult {
  const { memory, seconds, report } = end;
  const measured = { peakMemoryBytes: memory.peakBytes, seconds, memory };
  if (report?.command === "merge" && end.exitCode === ExitCode.done) return { ...report.result, ...measured };
  return {
    pair,
    outcome: outcomeOf[end.exitCode],
    exitCode: end.exitCode,
    rows: 0,
    columns: 0,
    tables: { total: 0, spliced: 0, aligned: 0 },
    bytes: { read: 0, written: 0 },
    predictedPeakBytes: 0,
    ceilingBytes: memory.ceilingBytes,
    stages: [],
    output: "",
    manifest: "",
    problems: end.problems,
    ...measured,
  };
}
