import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Eta } from "eta";
import { describeMissing, formatBilled, formatSum } from "../cost/money.ts";
import type { Report } from "../model/report.ts";
import type { RunView } from "../model/run.ts";
import { formatBytes, formatMemory, formatSeconds } from "../model/units.ts";
import { indexEndings } from "./endings.ts";
import { type Fact, formatTime, type Page } from "./page.ts";
import { showCosts, showNextRun, showOtherWays } from "./sections/cost.ts";
import { showFailures, showFamilies, showMemory, showTimeline } from "./sections/run.ts";
import { countStates } from "./text/run.ts";

const templates = fileURLToPath(new URL("./templates/", import.meta.url));
const eta = new Eta({ views: templates, autoEscape: true, cache: true });
const style = readFileSync(new URL("./templates/style.css", import.meta.url), "utf8").trim();

/** `report.html`: one file that needs no network and no script. `view` is the run that the report was built from. */
export function renderHtml(report: Report, view: RunView): string {
  const endings = indexEndings(view);
  const page: Page = {
    widemerge: report.widemerge,
    run: report.run,
    headline: `${countStates(report.pairs)}${report.cancelled ? ", cancelled" : ""}`,
    where: describeWhere(report),
    style,
    facts: listFacts(report),
    sections: [
      ...showFailures(report),
      ...showTimeline(report, endings),
      ...showMemory(report, endings),
      ...showCosts(report, endings),
      ...showNextRun(report),
      ...showOtherWays(report),
      ...showFamilies(report),
    ],
    notes: listNotes(report),
  };
  return eta.render("./page", page);
}

function describeWhere(report: Report): string {
  const { backend, input, output, created, finished, at } = report;
  const end = finished === undefined ? `not finished at ${formatTime(at)}` : `finished ${formatTime(finished)}`;
  return `${backend}; from ${input} to ${output}; created ${formatTime(created)}, ${end}`;
}

function listFacts(report: Report): Fact[] {
  const { totals, cost } = report;
  const ceiling = Math.max(0, ...report.pairs.map((pair) => pair.ceilingBytes ?? 0));
  const lost = Object.values(totals.failures).reduce((sum, count) => sum + count, 0);
  return [
    { name: "Time", value: formatSeconds(totals.wallSeconds), note: `${formatSeconds(totals.attemptSeconds)} of work` },
    { name: "Attempts", value: String(totals.attempts), note: `${lost} failed` },
    { name: "Largest working set", value: formatMemory(totals.peakBytes), note: `ceiling ${formatMemory(ceiling)}` },
    { name: "Data", value: formatBytes(totals.outputBytes), note: `from ${formatBytes(totals.inputBytes)}` },
    { name: "Cost, estimated", value: formatSum(cost.estimated), note: `prices of ${cost.prices.date}` },
    { name: "Cost, billed", value: formatBilled(cost.billed), note: "not known here" },
    { name: "Storage", value: `${formatSum(cost.monthly)} a month`, note: "outputs in the bucket" },
  ];
}

function listNotes(report: Report): string[] {
  const { prices, estimated, basis } = report.cost;
  const inferred = prices.inferred.length === 0 ? "" : ` Inferred, not listed: ${prices.inferred.join(", ")}.`;
  const notes = [
    `Prices: ${prices.name}, region ${prices.region}, read on ${prices.date}.${inferred}`,
    basis,
    describeMissing(estimated),
    `Made by widemerge ${report.widemerge} at ${formatTime(report.at)}.`,
  ];
  return notes.filter((note) => note !== "");
}
