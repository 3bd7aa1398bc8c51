/** Command line of widemerge: wires the commands, and is the only place that turns failures into exit codes. */
import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { ExitCode } from "./model/exit-code.ts";
import { type Problem, toFailure } from "./model/failure.ts";
import { describeProblems } from "./report/text/pair.ts";

/** Commands by name. Each is loaded with what it needs when it is asked for: some need a native library of 60 MB. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  sample: async () => (await import("./cli/sample.ts")).sampleCommand(),
  plan: async () => (await import("./cli/plan.ts")).planCommand(),
  merge: async () => (await import("./cli/merge.ts")).mergeCommand(),
  verify: async () => (await import("./cli/verify.ts")).verifyCommand(),
  "run-all": async () => (await import("./cli/run-all.ts")).runAllCommand(),
  status: async () => (await import("./cli/status.ts")).statusCommand(),
  report: async () => (await import("./cli/report.ts")).reportCommand(),
  cancel: async () => (await import("./cli/cancel.ts")).cancelCommand(),
  manifest: async () => (await import("./cli/manifest.ts")).manifestCommand(),
};

const program = new Command("widemerge")
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError("Run with --help to see what is allowed.")
  .exitOverride();
const [asked = ""] = process.argv.slice(2);
// Help and misspelt names need all of them.
const names = Object.hasOwn(commands, asked) ? [asked] : Object.keys(commands);
for (const name of names) {
  const command = await commands[name]?.();
  if (command !== undefined) program.addCommand(command.exitOverride().copyInheritedSettings(program));
}

// Whoever reads the output may stop before its end.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  else {
    const { exitCode, problems } = toFailure(error);
    await tell(exitCode, problems);
    process.exitCode = exitCode;
  }
}

/** Text for people on a terminal, lines of the log elsewhere. */
async function tell(exitCode: ExitCode, problems: readonly Problem[]): Promise<void> {
  if (process.stderr.isTTY)
    process.stderr.write(`widemerge: stopped (exit ${exitCode})\n${describeProblems(problems)}`);
  else (await import("./app/log.ts")).logProblems(exitCode, problems);
}
