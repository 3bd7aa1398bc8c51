import { cancelRun } from "../app/cancel-run.ts";
import { existingRunSettings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printLines } from "./print.ts";

const guide = `
A live controller stops its workers and ends. Without one, this command stops the workers itself. Finished pairs stay
finished, and \`widemerge run-all --run <run>\` continues the run.

Example:
  widemerge cancel 2026-11-21-a --output training
`;

/** The command `widemerge cancel [run]`. */
export function cancelCommand(): CodedCommand {
  const command = new CodedCommand("cancel")
    .argument("[run]", "run to cancel; default: the newest")
    .description("stop the workers of a run and remove what it left in the backend")
    .addHelpText("after", guide);
  return addSettings(command, existingRunSettings).runs(cancel);
}

async function cancel(named: string | undefined, flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const { run, cancelled } = await cancelRun(named, readStated(flags, command));
  printLines([cancelled ? `run ${run} is cancelled` : `run ${run} is already over, nothing to cancel`]);
  return ExitCode.done;
}
