import { setTimeout } from "node:timers/promises";
import { Command } from "commander";
import { type KnownRun, knownRunSettings, lookAtRun } from "../app/existing-run.ts";
import { costOfRun } from "../cost/run-cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { describeRun } from "../report/text/run.ts";
import { findController } from "../run/lease.ts";
import { exitCodeOf } from "../run/outcomes.ts";
import { addSettings } from "./flags.ts";
import { showRun } from "./run-display.ts";

const guide = `
Looks and changes nothing. Exit code 0 while the run goes on well or when every pair is done; once it is over, that of its
worst failure.

Examples:
  widemerge status --output training
  widemerge status 2026-11-21-a --watch --output gs://bucket/training
`;

/** The command `widemerge status [run]`. */
export function statusCommand(): Command {
  const command = new Command("status")
    .argument("[run]", "run to look at; none: the newest")
    .description("say where every pair of a run stands: attempts, tables, memory, time, cost")
    .option("--watch", "go on until the run is over")
    .option("--json", "print the report as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, knownRunSettings).action(showStatus);
}

/** Milliseconds between two looks. */
const lookEvery = 1000;

async function showStatus(
  named: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<void> {
  const { prices, ...first } = await lookAtRun(named, flags, command);
  let { run } = first;
  if (flags.watch === true) {
    const live = showRun(prices);
    for (; (await isAtWork(run)) && run.session.record.finished === undefined; await setTimeout(lookEvery)) {
      ({ run } = await lookAtRun(run.session.record.run, flags, command));
      live.view(run.session.view());
    }
    live.end();
  }
  const view = run.session.view();
  const over = view.record.finished !== undefined;
  process.exitCode = over ? exitCodeOf(run.session) : ExitCode.done;
  if (flags.json === true) {
    const { buildReport } = await import("../report/build.ts");
    process.stdout.write(`${JSON.stringify(buildReport(view, prices))}\n`);
    return;
  }
  process.stdout.write(describeRun(view, costOfRun(view, prices)));
  if (!over && !(await isAtWork(run)))
    process.stdout.write(`no controller is at work on it: go on with \`widemerge run-all --run ${view.record.run}\`\n`);
}

async function isAtWork({ store, session }: KnownRun): Promise<boolean> {
  return (await findController(store, session.paths.lease, session.record.run)) !== undefined;
}
