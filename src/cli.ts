/** The command line of widemerge. Loads the command that is asked for, and is the only file that sets the exit code. */
import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { type CodedCommand, ImmediateExit } from "./cli/command.ts";
import { printNotices } from "./cli/print.ts";
import { ExitCode } from "./model/exit-code.ts";
import { type Problem, toFailure } from "./model/failure.ts";
import { describeProblems } from "./report/text/pair.ts";

/** Commands by name. Each is loaded with its dependencies only when it is asked for: one of those takes 60 MB. */
const loaders: Readonly<Record<string, () => Promise<CodedCommand>>> = {
  sample: async () => (await import("./cli/sample.ts")).sampleCommand(),
  plan: async () => (await import("./cli/plan.ts")).planCommand(),
  merge: async () => (await import("./cli/merge.ts")).mergeCommand(),
  verify: async () => (await import("./cli/verify.ts")).verifyCommand(),
  "run-all": async () => (await import("./cli/run-all.ts")).runAllCommand(),
  status: async () => (await import("./cli/status.ts")).statusCommand(),
  report: async () => (await import("./cli/report.ts")).reportCommand(),
  cancel: async () => (await import("./cli/cancel.ts")).cancelCommand(),
  manifest: async () => (await import("./cli/manifest.ts")).manifestCommand(),
  completion: async () => (await import("./cli/completion.ts")).completionCommand(loadAll),
};

function loadAll(): Promise<readonly CodedCommand[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}

// The reader of the output may close it early.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await runCommand();
} catch (error) {
  if (error instanceof ImmediateExit) process.exit(error.exitCode);
  process.exitCode = await explain(error);
}

async function runCommand(): Promise<ExitCode> {
  const [asked = ""] = process.argv.slice(2);
  const load = Object.hasOwn(loaders, asked) ? loaders[asked] : undefined;
  // The help and the message about a misspelt name list all commands.
  const commands = load === undefined ? await loadAll() : [await load()];
  const program = new Command("widemerge")
    .description(packageJson.description)
    .version(packageJson.version, "-v, --version", "print the version")
    .showHelpAfterError("Run with --help to see what is allowed.")
    .configureOutput({ writeErr: (text) => printNotices(text.trimEnd().split("\n")) })
    .exitOverride();
  for (const command of commands) program.addCommand(command.exitOverride().copyInheritedSettings(program));
  await program.parseAsync();
  return commands.find(({ exitCode }) => exitCode !== undefined)?.exitCode ?? ExitCode.done;
}

/** Reports an error to the user. Returns its exit code. */
async function explain(error: unknown): Promise<ExitCode> {
  // commander has written its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  const { exitCode, problems } = toFailure(error);
  await printProblems(exitCode, problems);
  return exitCode;
}

/** Text for people, or lines of the log where a platform collects them. */
async function printProblems(exitCode: ExitCode, problems: readonly Problem[]): Promise<void> {
  const { isTextLog, logProblems } = await import("./app/log.ts");
  if (isTextLog()) printNotices([`widemerge: stopped (exit ${exitCode})`, ...describeProblems(problems)]);
  else logProblems(exitCode, problems);
}
