import {
  describeHolder,
  type ExistingRun,
  exitCodeSoFar,
  findController,
  followRun,
  inspectRun,
  type LeaseLook,
} from "../app/existing-run.ts";
import type { StatedSettings } from "../config/resolve.ts";
import { existingRunSettings } from "../config/settings.ts";
import { costOfRun } from "../cost/run-cost.ts";
import type { PriceList } from "../model/cost.ts";
import type { ExitCode } from "../model/exit-code.ts";
import { describeRun } from "../report/text/run.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printJson, printLines } from "./print.ts";
import { showRun } from "./run-display.ts";

const guide = `
Reads only, changes nothing, and does not wait: whether a controller on another machine lives is unknown after one look. --json
says so as "controller": "alive", "none" or "unknown". Exit code 0 while the run goes on and when every pair is done; after the
run, the code of its worst failure.

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
  const controller = flags.watch === true ? await follow(run, prices, settings) : await findController(run);
  const view = run.state.view();
  const isOpen = view.record.finished === undefined;
  if (flags.json === true) {
    const { buildReport } = await import("../report/build.ts");
    printJson({ ...buildReport(view, prices), ...(isOpen ? { controller: controller.state } : {}) });
    return exitCodeSoFar(run);
  }
  printLines(describeRun(view, costOfRun(view, prices)));
  if (isOpen) printLines(describeController(controller, view.record.run));
  return exitCodeSoFar(run);
}

async function follow(run: ExistingRun, prices: PriceList, { settings }: StatedSettings): Promise<LeaseLook> {
  const display = showRun(prices, settings);
  const controller = await followRun(run, (view) => display.view(view));
  display.end();
  return controller;
}

/** One line about the controller; none about one that is alive. */
function describeController({ state, lease }: LeaseLook, run: string): readonly string[] {
  switch (state) {
    case "alive":
      return [];
    case "none":
      return [`no controller has the run: continue it with \`widemerge run-all --run ${run}\``];
    case "unknown":
      return [
        `unknown whether the controller lives: ${describeHolder(lease.document)}, on another machine or stopped; \`widemerge status ${run} --watch\` finds out within 30 seconds`,
      ];
  }
}
