import { Command, Option } from "commander";
import * as v from "valibot";
import { runGuarded } from "../app/guarded-task.ts";
import { Settings, type VerifyLevel } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { describeProblems, describeVerification } from "../report/text/pair.ts";
import { addSettings, readSettings } from "./flags.ts";

const guide = `
Levels:
  structure  footer, offsets and counts are consistent, every page header is walked; nothing is decoded
  sample     also one column of every table, decoded and compared with its source through the key
  full       also every value, every page checksum, and the CRC32C of the whole file
A pair needs its manifest, and its checkpoint for sample and full; of any other Parquet file the structure is checked.

Examples:
  widemerge verify audusd --level sample --input checkpoints --output training
  widemerge verify some/file.parquet
`;

/** The command `widemerge verify <pair|file>`. */
export function verifyCommand(): Command {
  const command = new Command("verify")
    .argument("<pair|file>", "pair whose output is checked, or a Parquet file")
    .description("check an output: its structure, a sample of its values, or all of them")
    .addOption(
      new Option("--level <level>", "how much is checked")
        .choices(["structure", "sample", "full"])
        .default("structure"),
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
  ]).action(verify);
}

async function verify(target: string, flags: Readonly<Record<string, unknown>>, command: Command): Promise<void> {
  const settings = readSettings(flags, command);
  const level: VerifyLevel = v.parse(Settings.entries.verify, flags.level);
  const end = await runGuarded({ command: "verify", target, level, settings }, settings);
  const found = end.report?.command === "verify" ? end.report.verification : undefined;
  const wrong = found !== undefined && found.problems.length > 0;
  const exitCode = wrong ? ExitCode.verification : end.exitCode;
  if (flags.json === true)
    process.stdout.write(`${JSON.stringify(found ?? { target, level, exitCode, problems: end.problems })}\n`);
  else
    process.stdout.write(
      found === undefined
        ? `${target}: not verified (exit ${exitCode})\n${describeProblems(end.problems)}`
        : describeVerification(found),
    );
  process.exitCode = exitCode;
}
