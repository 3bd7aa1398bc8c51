import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Eta } from "eta";
import { hasCosts } from "../cost/run-cost.ts";
import { largest } from "../model/numbers.ts";
import type { Report } from "../model/report.ts";
import type { RunView } from "../model/run.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { formatBytes, formatCount, formatMemory, formatNumber, formatSeconds } from "../model/units.ts";
import { makeVisible } from "../model/visible.ts";
import { indexEndings } from "./endings.ts";
import { formatBilled, formatSum, formatTime } from "./format.ts";
import { formatShareOf, rankPartial } from "./partial-tables.ts";
import { showAlternatives, showCosts, showRightSize } from "./sections/cost.ts";
import { showPairs, showPartialTables } from "./sections/outputs.ts";
import { formatShare, showFailures, showFamilies, showMemory, showTimeline } from "./sections/run.ts";
import type { Section } from "./sections/section.ts";
import { showSettings } from "./sections/settings.ts";
import { countStates } from "./text/run.ts";

/** What the template of the page takes. */
interface Page {
  readonly widemerge: string;
  readonly run: string;
  readonly headline: string;
  readonly where: string;
  readonly style: string;
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
  readonly notes: readonly string[];
}

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

const templates = fileURLToPath(new URL("./templates/", import.meta.url));
const eta = new Eta({ views: templates, autoEscape: true, cache: true });
const { escapeFunction } = eta.config;
// A bidirectional control in a name would reorder the text around it.
eta.configure({ escapeFunction: (value) => escapeFunction(makeVisible(String(value))) });
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
      ...showPairs(report),
      ...showPartialTables(report),
      ...showFamilies(report),
      ...showTimeline(report, endings),
      ...showMemory(report, endings),
      ...showSettings(report),
      ...showCosts(report, endings),
      ...showRightSize(report),
      ...showAlternatives(report),
    ],
    notes: listNotes(report),
  };
  return eta.render("./page", page);
}

function describeWhere(report: Report): string {
  const { backend, input, output, created, finished, at } = report;
  const end = finished === undefined ? `not finished at ${formatTime(at)} UTC` : `finished ${formatTime(finished)} UTC`;
  return `On ${backend}, from ${input} to ${output}; created ${formatTime(created)} UTC, ${end}`;
}

/** What there is to say of the run as a whole, data before money. */
function listFacts(report: Report): Fact[] {
  return [...listDataFacts(report), ...listWorkFacts(report), ...listCostFacts(report)];
}

function listDataFacts({ totals, pairs }: Report): Fact[] {
  const ranked = rankPartial(pairs);
  const [worst] = ranked;
  const tables = totals.tables.spliced + totals.tables.aligned;
  if (tables === 0) return [];
  return [
    fact("Output", formatBytes(totals.outputBytes), `from ${formatBytes(totals.inputBytes)}`),
    fact("Spliced", formatShare(totals.tables), `of ${formatNumber(tables, "table")}`),
    ...(worst === undefined
      ? []
      : [
          fact(
            "Other rows than the targets",
            formatNumber(ranked.length, "table"),
            `at worst, ${formatShareOf(worst.table.rowsNullFilled, worst.rows)} null-filled`,
          ),
        ]),
  ];
}

function listWorkFacts({ totals, pairs }: Report): Fact[] {
  if (totals.attempts === 0) return [];
  const ceiling = largest(pairs.map((pair) => pair.ceilingBytes ?? 0));
  const failed = Object.values(totals.failures).reduce((sum, count) => sum + count, 0);
  return [
    fact("Time", formatSeconds(totals.wallSeconds), `${formatSeconds(totals.attemptSeconds)} over all attempts`),
    fact("Attempts", formatCount(totals.attempts), `${formatCount(failed)} failed`),
    ...(totals.peakBytes === 0
      ? []
      : [fact("Largest working set", formatMemory(totals.peakBytes), `ceiling ${formatMemory(ceiling)}`)]),
  ];
}

function listCostFacts({ backend, cost, output }: Report): Fact[] {
  if (!hasCosts(backend, cost)) return [];
  return [
    fact("Estimated cost", formatSum(cost.estimated), `prices of ${cost.prices.date}`),
    ...(cost.billed === null ? [] : [fact("Billed cost", formatBilled(cost.billed), "")]),
    ...(isGcsPath(output) ? [fact("Storage", `${formatSum(cost.monthly)} a month`, "outputs in the bucket")] : []),
  ];
}

function fact(name: string, value: string, note: string): Fact {
  return { name, value, note };
}

function listNotes({ backend, cost, alternatives, widemerge, at }: Report): string[] {
  const { prices } = cost;
  const inferred = prices.inferred.length === 0 ? "" : ` Inferred, not listed: ${prices.inferred.join(", ")}.`;
  const sources = `Prices: ${prices.name}, region ${prices.region}, read on ${prices.date}.${inferred}`;
  return [
    ...(hasCosts(backend, cost) || alternatives.length > 0 ? [sources] : []),
    `Made by widemerge ${widemerge} at ${formatTime(at)} UTC.`,
  ];
}
