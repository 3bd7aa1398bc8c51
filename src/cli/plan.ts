import { planPairs } from "../app/plan-pairs.ts";
import { parsePair } from "../app/task-pair.ts";
import { mergeSettings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { describePlan, describeProblems } from "../report/text/pair.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readSettings } from "./flags.ts";
import { printJson, printLines } from "./print.ts";
import { observeTask } from "./progress.ts";

const guide = `
Reads only footers, page headers and key columns, and writes nothing.

Examples:
  widemerge plan audusd --input checkpoints
  widemerge plan --pairs audusd,eurjpy --input checkpoints --list-tables
  widemerge plan audusd --input checkpoints --tables "mkt_*" --exclude-tables "*_raw"
`;

/** The command `widemerge plan [pair…]`. */
export function planCommand(): CodedCommand {
  const command = new CodedCommand("plan")
    .argument("[pairs...]", "pairs to plan; default: those of --pairs")
    .description("show what a merge would do: splice or align and why, output size, predicted peak memory and time")
    .option("--list-tables", "list every table")
    .option("--json", "print the plans as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, ["pairs", ...mergeSettings]).runs(plan);
}

async function plan(pairs: readonly string[], flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const settings = readSettings(flags, command);
  const chosen = pairs.length > 0 ? pairs.map(parsePair) : settings.pairs;
  if (chosen.length === 0)
    throw new Failure(ExitCode.usage, [{ what: "no pair to plan", fix: "name at least one, or set --pairs" }]);
  const { plans, failed } = await planPairs(chosen, settings, (pair) => observeTask(pair, settings));
  if (flags.json === true) printJson({ plans, failed });
  else
    printLines([
      ...plans.flatMap((one) => describePlan(one, flags.listTables === true)),
      ...failed.flatMap(({ pair, exitCode, problems }) => [
        `${pair}: no plan (exit ${exitCode})`,
        ...describeProblems(problems),
      ]),
    ]);
  return failed[0]?.exitCode ?? ExitCode.done;
}
