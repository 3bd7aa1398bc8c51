import { exitCodeSoFar, followRun, hasController, inspectRun } from "../app/existing-run.ts";
import { existingRunSettings } from "../config/settings.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { ExitCode } from "../model/exit-code.ts";
import { describeRun } from "../report/text/run.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printJson, printLines } from "./print.ts";
import { showRun } from "./run-display.ts";

const guide = `
Reads only, and changes nothing. Exit code 0 while the run goes on and when every pair is done; after the run, the code of
its worst failure.

Examples:
  widemerge status --output training
  widemerge status 2026-11-21-a --watch --output gs://bucket/training
`;

/** The command `widemerge status [run]`. */
export function statusCommand(): CodedCommand {
  const command = new CodedCommand("status")
    .argument("[run]", "run to look at; default: the newest")
    .description("show the state of every pair of a run: attempts, tables, memory, time, cost")
    .option("--watch", "follow the run until it is over")
    .option("--json", "print the report as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, existingRunSettings).runs(showStatus);
}

async function showStatus(named: string | undefined, flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const settings = readStated(flags, command);
  const { prices, run } = await inspectRun(named, settings);
  if (flags.watch === true) {
    const display = showRun(prices, settings.settings);
    await followRun(run, (view) => display.view(view));
    display.end();
  }
  const view = run.state.view();
  if (flags.json === true) {
    const { buildReport } = await import("../report/build.ts");
    printJson(buildReport(view, prices));
    return exitCodeSoFar(run);
  }
  printLines(describeRun(view, costOfRun(view, prices)));
  if (view.record.finished === undefined && !(await hasController(run)))
    printLines([`no controller has the run: continue it with \`widemerge run-all --run ${view.record.run}\``]);
  return exitCodeSoFar(run);
}
