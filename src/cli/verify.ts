import { Option } from "commander";
import * as v from "valibot";
import { verifyTarget } from "../app/verify-target.ts";
import { Settings, type VerifyLevel } from "../config/settings.ts";
import type { ExitCode } from "../model/exit-code.ts";
import { describeProblems, describeVerification } from "../report/text/pair.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printJson, printLines } from "./print.ts";
import { observeTask } from "./progress.ts";

const guide = `
Levels:
  structure  checks that footer, offsets and counts agree and walks every page header; decodes nothing
  sample     also compares the type of every column with its source, and values and statistics of one column of each table
  full       also compares every value and all statistics, and checks every page checksum and the CRC32C of the whole file
The levels sample and full need the manifest beside the output, training_<pair>.manifest.json. It says which key, names
and duplicate policy the output was made with, and where its sources are; --input names another folder of checkpoints. Any
other Parquet file can be checked for its structure.

Examples:
  widemerge verify audusd --level sample --input checkpoints --output training
  widemerge verify training/training_audusd.parquet --level full
  widemerge verify some/file.parquet
`;

/** The command `widemerge verify <pair|file>`. */
export function verifyCommand(): CodedCommand {
  const command = new CodedCommand("verify")
    .argument("<pair|file>", "pair whose output to check, or a Parquet file")
    .description("check an output: its structure, a sample of its values, or all of them")
    .addOption(
      new Option("--level <level>", "how much to check").choices(["structure", "sample", "full"]).default("structure"),
    )
    .option("--json", "print the result as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, [
    "input",
    "output",
    "key",
    "duplicates",
    "memoryCeiling",
    "gcsEndpoint",
    "stallSeconds",
    "log",
    "quiet",
    "verbose",
  ]).runs(verify);
}

async function verify(target: string, flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const settings = readStated(flags, command);
  const level: VerifyLevel = v.parse(Settings.entries.verify, flags.level);
  const { exitCode, problems, verification } = await verifyTarget(
    target,
    level,
    settings,
    observeTask(target, settings.settings),
  );
  if (flags.json === true) printJson(verification ?? { target, level, exitCode, problems });
  else
    printLines(
      verification === undefined
        ? [`${target}: not verified (exit ${exitCode})`, ...describeProblems(problems)]
        : describeVerification(verification),
    );
  return exitCode;
}
