import type { Cause } from "../../model/ending.ts";
import { describeProblem } from "../../model/failure.ts";
import type { Report, ReportPair } from "../../model/report.ts";
import { agree, formatCount, formatMemory, formatNumber } from "../../model/units.ts";
import { drawFamilies } from "../charts/bars.ts";
import { drawMemory, mostCharts } from "../charts/memory.ts";
import { drawTimeline } from "../charts/timeline.ts";
import type { Endings } from "../endings.ts";
import {
  type FailureText,
  foldedTable,
  noteCut,
  number,
  openTable,
  type Section,
  section,
  type TableText,
  text,
  value,
} from "./section.ts";

const advice: Readonly<Record<Cause, string>> = {
  disruption: "The capacity was taken away. The pair is started again; there is nothing to do.",
  transient:
    "Storage or network failed. The pair is started again. If this goes on, check the region and quotas of the bucket.",
  memory: "The merge reached its ceiling. Run the pair again with a higher one: widemerge plan says which one fits.",
  input: "The checkpoint cannot be merged. Correct the tables named above, then run the pair again.",
  verification:
    "The output did not match its sources and was not published. Run the pair again. If this goes on, report it.",
  usage: "The settings cannot be used. Correct them, then run the pair again.",
  unexpected: "The log of the attempt says more. Run the pair again. If this goes on, report it with that log.",
};
const mostProblems = 20;

/** Failed attempts by cause, failed pairs with their problems, and what to do; nothing if no attempt failed. */
export function showFailures(report: Report): Section[] {
  const failed = report.pairs.filter((pair) => pair.state === "failed" || pair.state === "cancelled");
  const causes = Object.entries(report.totals.failures);
  if (failed.length === 0 && causes.length === 0) return [];
  const tables = causes.length === 0 ? [] : [tabulateCauses(report)];
  return [section("Failures, and what to do", { failures: failed.map(explainPair), tables })];
}

function tabulateCauses({ pairs, totals }: Report): TableText {
  const columns = [value("Cause"), number("Attempts"), text("Pairs"), text("What to do")];
  const rows = Object.entries(totals.failures).map(([cause, count]) => {
    const affected = pairs.filter(({ failures }) => (failures[cause] ?? 0) > 0).map(({ pair }) => pair);
    return [cause, formatCount(count), affected.join(", "), isCause(cause) ? advice[cause] : ""];
  });
  return openTable("Failed attempts by cause", columns, rows);
}

/** Documents are read by their names: a cause that another version wrote may be unknown here. */
function isCause(name: string): name is Cause {
  return Object.hasOwn(advice, name);
}

function explainPair(pair: ReportPair): FailureText {
  const shown = pair.problems.slice(0, mostProblems).map((problem) => describeProblem(problem));
  const more = pair.problems.length - shown.length;
  const problems = more > 0 ? [...shown, `and ${formatCount(more)} more in report.json`] : shown;
  return { title: `${pair.pair}: ${pair.state}`, text: pair.why ?? describeLastAttempt(pair), problems };
}

function describeLastAttempt(pair: ReportPair): string {
  const last = pair.cost.attempts.at(-1);
  return last === undefined ? "It was never started." : `Its last attempt: ${last.ended}.`;
}

/** When each attempt ran; nothing if no pair was started twice, when the times of the pairs say as much. */
export function showTimeline(report: Report, endings: Endings): Section[] {
  if (report.pairs.every(({ cost }) => cost.attempts.length < 2)) return [];
  const paragraphs = noteCut(report.pairs.length, "first");
  return [section("Timeline", { paragraphs, picture: drawTimeline(report, endings) })];
}

/** The memory of each pair. */
export function showMemory(report: Report, endings: Endings): Section[] {
  const { pictures, scale } = drawMemory(report, endings);
  if (pictures.length === 0) return [];
  const columns = [
    ...[value("Pair"), value("Result"), number("Largest working set"), number("Ceiling"), number("Predicted")],
    ...[number("Warnings"), value("Measured from")],
  ];
  const rows = report.pairs.flatMap(({ pair, memory, output }) =>
    memory.map((trace) => [
      pair,
      trace.ended,
      formatMemory(trace.peakBytes),
      formatMemory(trace.ceilingBytes),
      output === undefined ? "–" : formatMemory(output.predictedPeakBytes),
      formatCount(trace.warnings),
      trace.source,
    ]),
  );
  const tables = [foldedTable("Memory of each attempt", columns, rows)];
  const paragraphs = [scale, ...noteCut(report.pairs.length, "first", mostCharts)];
  return [section("Memory", { paragraphs, multiples: pictures, tables })];
}

/** How many tables were spliced and aligned. */
export function showFamilies({ totals: { families, tables } }: Report): Section[] {
  if (families.length === 0) return [];
  const all = formatNumber(tables.spliced + tables.aligned, "table");
  const paragraph = `${formatCount(tables.spliced)} of ${all} (${formatShare(tables)}) ${agree(tables.spliced, "was", "were")} spliced: their bytes were copied without decoding.`;
  const columns = [value("Family"), number("Spliced"), number("Aligned")];
  const rows = families.map((one) => [one.family, formatCount(one.spliced), formatCount(one.aligned)]);
  const picture = drawFamilies(families);
  return [
    section("Spliced and aligned tables", {
      paragraphs: [paragraph],
      picture,
      tables: [foldedTable("Tables by family", columns, rows)],
    }),
  ];
}

/** The share of tables that were spliced: "95.4%". */
export function formatShare({ spliced, aligned }: Report["totals"]["tables"]): string {
  const all = spliced + aligned;
  return all === 0 ? "–" : `${Math.round((1000 * spliced) / all) / 10}%`;
}
