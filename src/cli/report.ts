import { Command } from "commander";
import { knownRunSettings, lookAtRun } from "../app/existing-run.ts";
import { renderDocuments } from "../app/reports.ts";
import { costOfRun } from "../cost/run-cost.ts";
import { describeRun } from "../report/text/run.ts";
import { writeReports } from "../run/documents.ts";
import { addSettings } from "./flags.ts";

const guide = `
Writes report.html, report.json, report.csv and costs/<pair>.json into <output>/runs/<run>/ once more, from what is known
now, with the price list of --prices.

Examples:
  widemerge report --output training
  widemerge report 2026-11-21-a --output gs://bucket/training --prices our-prices.yaml --json
`;

/** The command `widemerge report [run]`. */
export function reportCommand(): Command {
  const command = new Command("report")
    .argument("[run]", "run to report on; none: the newest")
    .description("write the reports of a run and say where they are")
    .option("--json", "print the report as one JSON document")
    .addHelpText("after", guide);
  return addSettings(command, knownRunSettings).action(report);
}

async function report(
  named: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<void> {
  const { run, prices } = await lookAtRun(named, flags, command);
  const view = run.session.view();
  const documents = await renderDocuments(view, prices);
  await writeReports(run.store, run.session.paths, documents);
  if (flags.json === true) process.stdout.write(documents.get("report.json") ?? "");
  else {
    const files = ["report.html", "report.json", "report.csv"].map((name) => `  ${run.session.paths.document(name)}\n`);
    process.stdout.write(`${describeRun(view, costOfRun(view, prices))}\n${files.join("")}`);
  }
}
