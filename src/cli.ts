/** Command line of widemerge: wires the commands, and is the only place that turns failures into exit codes. */
import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { cancelCommand } from "./commands/cancel.ts";
import { manifestCommand } from "./commands/manifest.ts";
import { mergeCommand } from "./commands/merge.ts";
import { planCommand } from "./commands/plan.ts";
import { reportCommand } from "./commands/report.ts";
import { runAllCommand } from "./commands/run-all.ts";
import { sampleCommand } from "./commands/sample.ts";
import { statusCommand } from "./commands/status.ts";
import { verifyCommand } from "./commands/verify.ts";
import { ExitCode } from "./contract/exit.ts";
import { toFailure } from "./contract/failure.ts";
import { describeProblems } from "./report/text.ts";

const program = new Command("widemerge")
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError("Run with --help to see what is allowed.")
  .exitOverride();
const commands = [
  sampleCommand(),
  planCommand(),
  mergeCommand(),
  verifyCommand(),
  runAllCommand(),
  statusCommand(),
  reportCommand(),
  cancelCommand(),
  manifestCommand(),
];
for (const command of commands) program.addCommand(command.exitOverride().copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  else {
    const failure = toFailure(error);
    process.stderr.write(`widemerge: stopped (exit ${failure.exitCode})\n${describeProblems(failure.problems)}`);
    process.exitCode = failure.exitCode;
  }
}
