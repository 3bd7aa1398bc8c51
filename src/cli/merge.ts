import { isTextLog, logAbout, logProblems } from "../app/log.ts";
import { failedResult, mergeForRun } from "../app/merge-pair.ts";
import { choosePair } from "../app/task-pair.ts";
import { writeOutcome } from "../app/worker-outcome.ts";
import { mergeSettings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, toFailure } from "../model/failure.ts";
import { toOutcome } from "../model/outcome.ts";
import type { PairResult } from "../model/result.ts";
import { describeResult } from "../report/text/pair.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readSettings } from "./flags.ts";
import { printJson, printLines } from "./print.ts";
import { observeTask } from "./progress.ts";

const guide = `
The output has exactly the rows of the targets, in their order. A table whose key column is proven equal to that of the
targets is spliced: its encoded column chunks are copied without decoding. Any other table is aligned: joined to the
targets on the key (left join). The output gets its final name only when it is complete and verified. Its manifest is
written last: an output with a manifest is done.

Exit codes: 0 done or already done, 1 unexpected error, 2 usage, 3 input refused, 4 memory ceiling reached,
5 verification failed, 6 the worker's controller was replaced, 75 storage or network failed (try again), 130 and 143
interrupted.

Without a pair, the command is a worker of a run: JOB_COMPLETION_INDEX or CLOUD_RUN_TASK_INDEX selects one of
WIDEMERGE_PAIRS, counted from 0. With --run it records how it ended in <output>/runs/<run>/results/<pair>/.

Examples:
  widemerge merge audusd --input checkpoints --output training
  widemerge merge audusd --config profiles/27-pairs.yaml --memory-ceiling 8GiB --verify sample --json
`;

/** The command `widemerge merge [pair]`. */
export function mergeCommand(): CodedCommand {
  const command = new CodedCommand("merge")
    .argument("[pair]", "pair to merge, such as audusd; default: the pair of this task of a run")
    .description("merge the feature tables of one pair and its targets into one wide training file")
    .option("--json", "print the result as one JSON document")
    .explainsExcessArguments()
    .addHelpText("after", guide);
  return addSettings(command, mergeSettings).runs(merge);
}

async function merge(named: string | undefined, flags: Flags, command: CodedCommand): Promise<ExitCode> {
  let pair = named ?? "";
  const print = (result: PairResult): ExitCode => {
    // As text, the result itself lists the problems.
    if (!isTextLog() || flags.json === true) logProblems(result.exitCode, result.problems);
    if (flags.json === true) printJson(result);
    else printLines(describeResult(result));
    return result.exitCode;
  };
  try {
    const settings = readSettings(flags, command);
    refuseFurtherPairs(command.args);
    const { project, output, run } = settings;
    logAbout({ project, output, run });
    pair = choosePair(named, settings.pairs, process.env);
    logAbout({ pair });
    return print(await mergeForRun(pair, settings, observeTask(pair, settings)));
  } catch (error) {
    const result = failedResult(pair, toFailure(error));
    // Settings can be wrong before the run and the pair are known.
    writeOutcome(toOutcome(result));
    // A script that asked for a document gets one, even when nothing could be started.
    if (flags.json !== true) throw error;
    return print(result);
  }
}

/** @throws Failure (usage) with the command for several pairs */
function refuseFurtherPairs(pairs: readonly string[]): void {
  if (pairs.length < 2) return;
  const fix = `merge them with \`widemerge run-all --pairs ${pairs.join(",")}\``;
  throw new Failure(ExitCode.usage, [{ what: "merge takes one pair", found: pairs.join(" "), fix }]);
}
