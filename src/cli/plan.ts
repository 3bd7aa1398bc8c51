import { Command } from "commander";
import { parsePair, runGuarded } from "../app/guarded-task.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import { describePlan, describeProblems } from "../report/text/pair.ts";
import { addSettings, readSettings } from "./flags.ts";
import { mergeSettings } from "./merge.ts";

const guide = `
Reads footers, page headers and key columns only, and writes nothing but the output folder if it is missing.

Examples:
  widemerge plan audusd --input checkpoints
  widemerge plan --pairs audusd,eurjpy --input checkpoints --tables
`;

/** The command `widemerge plan [pair…]`. */
export function planCommand(): Command {
  const command = new Command("plan")
    .argument("[pairs...]", "pairs to plan; none: those of --pairs")
    .description("say what a merge would do: splice or align and why, output size, predicted peak memory and time")
    .option("--tables", "list every table")
    .option("--json", "print the plans as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, ["pairs", ...mergeSettings]).action(planPairs);
}

async function planPairs(
  pairs: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<void> {
  const settings = readSettings(flags, command);
  const chosen = pairs.length > 0 ? pairs.map(parsePair) : settings.pairs;
  if (chosen.length === 0)
    throw new Failure(ExitCode.usage, [
      { what: "no pair to plan", found: "no argument and no --pairs", fix: "name at least one pair" },
    ]);
  const plans: Plan[] = [];
  const failed: { readonly pair: string; readonly exitCode: ExitCode; readonly problems: readonly Problem[] }[] = [];
  for (const pair of chosen) {
    const { report, exitCode, problems } = await runGuarded({ command: "plan", pair, settings }, settings);
    if (report?.command === "plan" && exitCode === ExitCode.done) plans.push(report.plan);
    else failed.push({ pair, exitCode, problems });
  }
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ plans, failed })}\n`);
  else {
    process.stdout.write(plans.map((plan) => describePlan(plan, flags.tables === true)).join(""));
    process.stdout.write(
      failed
        .map(({ pair, exitCode, problems }) => `${pair}: no plan (exit ${exitCode})\n${describeProblems(problems)}`)
        .join(""),
    );
  }
  process.exitCode = failed[0]?.exitCode ?? ExitCode.done;
}
