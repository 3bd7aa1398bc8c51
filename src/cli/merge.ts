import { Command } from "commander";
import { type GuardedEnd, runGuarded } from "../app/guarded-task.ts";
import { log, logAbout, logProblems } from "../app/log.ts";
import { choosePair } from "../app/task-pair.ts";
import { leaveWord } from "../app/worker-record.ts";
import { cloudRunEntries } from "../config/cloudrun.ts";
import { kubernetesEntries } from "../config/kubernetes.ts";
import { type SettingName, type Settings, settingNames } from "../config/settings.ts";
import { ExitCode, outcomeOf } from "../model/exit-code.ts";
import { toFailure } from "../model/failure.ts";
import type { MemoryRecord } from "../model/measurement.ts";
import { nameOutputs } from "../model/output-names.ts";
import type { PairResult } from "../model/result.ts";
import { describeResult } from "../report/text/pair.ts";
import { createStore } from "../store/create-store.ts";
import { addSettings, readSettings } from "./flags.ts";

/** What only a run of several pairs takes. */
const ofRuns: readonly SettingName[] = [
  "pairs",
  "backend",
  "parallelism",
  "memoryCeilings",
  "retries",
  "retriesUnexpected",
  "maxCost",
  "prices",
];

/** Settings that a merge of one pair takes as flags. */
export const mergeSettings: readonly SettingName[] = settingNames.filter(
  (name) => !ofRuns.includes(name) && !Object.hasOwn({ ...kubernetesEntries, ...cloudRunEntries }, name),
);

const guide = `
The output has exactly the targets' rows in their order. A table whose key column is proven equal to the targets' is
spliced: its encoded column chunks are copied without decoding. Any other table is aligned by a left join on the key.
The output appears under its name only when it is whole and verified; its manifest is written last and means "done".

Exit codes: 0 done or already done, 1 unexpected, 2 usage, 3 input refused, 4 memory ceiling, 5 verification failed,
75 storage failed (try again), 130/143 interrupted.

Without a pair it is a worker of a run: JOB_COMPLETION_INDEX or CLOUD_RUN_TASK_INDEX says which of WIDEMERGE_PAIRS it
merges, from 0. With --run it leaves a record of how it ended in <output>/runs/<run>/results/<pair>/.

Examples:
  widemerge merge audusd --input checkpoints --output training
  widemerge merge audusd --config profiles/27-pairs.yaml --memory-ceiling 8GiB --verify sample --json
`;

/** The command `widemerge merge [pair]`. */
export function mergeCommand(): Command {
  const command = new Command("merge")
    .argument("[pair]", "pair to merge, such as audusd; none: that of this task of a run")
    .description("merge the feature tables of one pair and its targets into one wide training file")
    .option("--json", "print the result as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, mergeSettings).action(merge);
}

async function merge(
  named: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<void> {
  let pair = named ?? "";
  try {
    const settings = readSettings(flags, command);
    const { project, output, run } = settings;
    logAbout({ project, output, run });
    pair = choosePair(named, settings.pairs, process.env);
    logAbout({ pair });
    const result = await mergePair(pair, settings);
    // On a terminal the result says it all.
    if (!process.stderr.isTTY) logProblems(result.exitCode, result.problems);
    process.stdout.write(flags.json === true ? `${JSON.stringify(result)}\n` : describeResult(result));
    process.exitCode = result.exitCode;
  } catch (error) {
    // A script that asked for a document gets one, also when nothing could be started.
    if (flags.json !== true) throw error;
    const { exitCode, problems } = toFailure(error);
    if (!process.stderr.isTTY) logProblems(exitCode, problems);
    process.stdout.write(`${JSON.stringify(toResult(pair, { exitCode, problems, memory: unmeasured, seconds: 0 }))}\n`);
    process.exitCode = exitCode;
  }
}

const unmeasured: MemoryRecord = { source: "rss", peakBytes: 0, ceilingBytes: 0, warnings: 0, samples: [] };

/** Nothing was staged, or the child has seen to it. */
const cleanEnds: ReadonlySet<ExitCode> = new Set([ExitCode.done, ExitCode.usage, ExitCode.input]);

/** Merges a pair under the guard and leaves word of it. @throws Failure when the merge could not be started. */
async function mergePair(pair: string, settings: Settings): Promise<PairResult> {
  const start = new Date().toISOString();
  try {
    const end = await runGuarded({ command: "merge", pair, settings }, settings);
    if (!cleanEnds.has(end.exitCode)) await sweep(settings, pair);
    const result = toResult(pair, end);
    await leaveWord(settings, { start, result, memory: end.memory });
    return result;
  } catch (error) {
    const { exitCode, problems } = toFailure(error);
    const result = toResult(pair, { exitCode, problems, memory: unmeasured, seconds: 0 });
    await leaveWord(settings, { start, result, memory: unmeasured });
    throw error;
  }
}

/** A child that was killed could not remove what it had staged. Where the store is lost, the next merge does it. */
async function sweep(settings: Settings, pair: string): Promise<void> {
  try {
    const store = await createStore(settings, [settings.output]);
    for (const name of Object.values(nameOutputs(pair))) await store.sweep(store.join(settings.output, name));
  } catch (error) {
    log("warn", `what was staged could not be removed: ${toFailure(error).message}`);
  }
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
