import { writeReport } from "../app/write-report.ts";
import { existingRunSettings } from "../config/settings.ts";
import { costOfRun } from "../cost/run-cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { describeRun } from "../report/text/run.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readStated } from "./flags.ts";
import { printDocument, printLines } from "./print.ts";

const guide = `
Writes report.html, report.json, report.csv and costs/<pair>.json into <output>/runs/<run>/ again, from what is known now
and with the price list of --prices.

Examples:
  widemerge report --output training
  widemerge report 2026-11-21-a --output gs://bucket/training --prices our-prices.yaml --json
`;

/** The command `widemerge report [run]`. */
export function reportCommand(): CodedCommand {
  const command = new CodedCommand("report")
    .argument("[run]", "run to report on; default: the newest")
    .description("write the reports of a run and print where they are")
    .option("--json", "print the report as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, existingRunSettings).runs(report);
}

async function report(named: string | undefined, flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const { view, prices, documents, files } = await writeReport(named, readStated(flags, command));
  if (flags.json === true) printDocument(documents.get("report.json") ?? "");
  else {
    const lines = files.map((file) => `  ${file}`);
    printLines([...describeRun(view, costOfRun(view, prices)), "", ...lines]);
  }
  return ExitCode.done;
}
