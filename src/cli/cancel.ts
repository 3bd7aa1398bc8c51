import { cancelRun } from "../app/cancel-run.ts";
import { existingRunSettings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printLines } from "./print.ts";

const guide = `
A live controller stops its workers and ends. Without one, this command stops the workers itself. Finished pairs stay
finished, and \`widemerge run-all --run <run>\` continues the run.

Whether a controller on another machine lives shows in its heartbeat, every 5 seconds. Without --wait, the command leaves its
request, says that this is unknown, and exits with 75.

Examples:
  widemerge cancel 2026-11-21-a --output training
  widemerge cancel 2026-11-21-a --output gs://bucket/training --wait
`;

/** The command `widemerge cancel [run]`. */
export function cancelCommand(): CodedCommand {
  const command = new CodedCommand("cancel")
    .argument("[run]", "run to cancel; default: the newest")
    .description("stop the workers of a run and remove what it left in the backend")
    .option("--wait", "if the controller runs on another machine, watch whether it lives, for up to 30 seconds")
    .addHelpText("after", guide);
  return addSettings(command, existingRunSettings).runs(cancel);
}

async function cancel(named: string | undefined, flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const end = await cancelRun(named, readStated(flags, command), { wait: flags.wait === true });
  const { run } = end;
  switch (end.outcome) {
    case "cancelled":
      printLines([`run ${run} is cancelled`]);
      return ExitCode.done;
    case "already over":
      printLines([`run ${run} is already over, nothing to cancel`]);
      return ExitCode.done;
    case "unknown":
      printLines([
        `run ${run}: cancellation is requested, and it is unknown whether its controller lives (${end.holder}): a live controller stops the workers within seconds, see \`widemerge status ${run}\`; \`widemerge cancel ${run} --wait\` finds out within 30 seconds, and stops them itself if the controller is gone`,
      ]);
      return ExitCode.transient;
  }
}
