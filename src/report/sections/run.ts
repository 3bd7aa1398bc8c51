import { formatSum } from "../../cost/money.ts";
import { describeProblem } from "../../model/failure.ts";
import type { Report, ReportPair } from "../../model/report.ts";
import { formatBytes, formatCount, formatMemory, formatSeconds } from "../../model/units.ts";
import { drawFailures, drawFamilies } from "../charts/bars.ts";
import { drawMemory } from "../charts/memory.ts";
import { drawTimeline } from "../charts/timeline.ts";
import type { Endings } from "../endings.ts";
import { type CauseText, formatTime, type Section, section, table } from "../page.ts";

/** What to do about each cause. */
const advice: Readonly<Record<string, string>> = {
  disruption: "The capacity was taken away. The pair is started again; nothing needs to be done.",
  transient:
    "Storage or network failed. The pair is started again; if it stays, look at the bucket's region and quota.",
  memory:
    "The merge met its ceiling. Run the pair again with a higher ceiling: widemerge plan says the smallest that would do.",
  input: "The checkpoint is not as it should be. Correct the tables named here, then run the pair again.",
  verification:
    "The output did not match its sources and was not published. Run the pair again; if it stays, report it.",
  usage: "The settings cannot be carried out. Correct them, then run again.",
  unexpected: "The log of the attempt says more. Run the pair again; if it stays, report it with that log.",
};
const mostProblems = 20;

/** Causes of failures, with what to do; nothing when none failed. */
export function showFailures(report: Report): Section[] {
  const failed = report.pairs.filter((pair) => pair.state === "failed" || pair.state === "cancelled");
  const picture = drawFailures(report);
  if (failed.length === 0 && picture === undefined) return [];
  const names = Object.keys(report.totals.failures);
  const text = names.map((cause) => `${cause}: ${(Object.hasOwn(advice, cause) ? advice[cause] : undefined) ?? ""}`);
  const rows = Object.entries(report.totals.failures).map(([cause, count]) => [
    cause,
    formatCount(count),
    report.pairs
      .filter((pair) => (pair.failures[cause] ?? 0) > 0)
      .map((pair) => pair.pair)
      .join(", "),
  ]);
  const tables = rows.length === 0 ? [] : [table("Failed attempts by cause", ["cause", "attempts>", "pairs"], rows)];
  return [section("What went wrong, and what to do", { causes: failed.map(explainPair), text, picture, tables })];
}

function explainPair(pair: ReportPair): CauseText {
  const shown = pair.problems.slice(0, mostProblems).map((problem) => {
    const { table: name, ...rest } = problem;
    return describeProblem(name === undefined ? rest : { ...rest, table: name });
  });
  const more = pair.problems.length - shown.length;
  const problems = more > 0 ? [...shown, `and ${formatCount(more)} more in report.json`] : shown;
  return { title: `${pair.pair}: ${pair.state}`, text: pair.why ?? lastEnd(pair), problems };
}

function lastEnd(pair: ReportPair): string {
  const last = pair.cost.attempts.at(-1);
  return last === undefined ? "It was never started." : `Its last attempt ended with: ${last.ended}.`;
}

/** When what ran. */
export function showTimeline(report: Report, endings: Endings): Section[] {
  const rows = report.pairs.flatMap((pair) =>
    pair.cost.attempts.map((attempt, index) => [
      pair.pair,
      formatCount(index + 1),
      attempt.ended,
      attempt.start === undefined ? "–" : formatTime(attempt.start),
      formatSeconds(attempt.seconds),
      `${formatCount(attempt.vcpu)} vCPU, ${formatMemory(attempt.requestedBytes)}${attempt.spot ? ", Spot" : ""}`,
      attempt.peakBytes === undefined ? "–" : formatMemory(attempt.peakBytes),
      attempt.id,
    ]),
  );
  const names = ["pair", "attempt>", "end", "start", "time>", "asked for", "working set>", "id"];
  const tables = [
    table("Every pair", pairColumns, report.pairs.map(describePair)),
    table("Every attempt", names, rows),
  ];
  return [section("Timeline", { picture: drawTimeline(report, endings), tables })];
}

const pairColumns = [
  "pair",
  "state",
  "rows>",
  "columns>",
  "output>",
  "spliced>",
  "aligned>",
  "time>",
  "estimated>",
  "why",
];

function describePair(pair: ReportPair): string[] {
  const output = pair.output;
  return [
    pair.pair,
    pair.state,
    output === undefined ? "–" : formatCount(output.rows),
    output === undefined ? "–" : formatCount(output.columns),
    output === undefined ? "–" : formatBytes(output.sizeBytes),
    output === undefined ? "–" : formatCount(pair.tables.spliced),
    output === undefined ? "–" : formatCount(pair.tables.aligned),
    formatSeconds(pair.seconds),
    formatSum(pair.cost.estimated),
    pair.why ?? "",
  ];
}

/** The memory of each pair. */
export function showMemory(report: Report, endings: Endings): Section[] {
  const { pictures, scale } = drawMemory(report, endings);
  if (pictures.length === 0) return [];
  const rows = report.pairs.flatMap((pair) =>
    pair.memory.map((trace) => [
      pair.pair,
      trace.ended,
      formatMemory(trace.peakBytes),
      formatMemory(trace.ceilingBytes),
      pair.output === undefined ? "–" : formatMemory(pair.output.predictedPeakBytes),
      formatCount(trace.warnings),
      trace.source,
    ]),
  );
  const names = ["pair", "end", "largest working set>", "ceiling>", "predicted>", "warnings>", "measured from"];
  return [
    section("Memory", { text: [scale], multiples: pictures, tables: [table("Memory of every attempt", names, rows)] }),
  ];
}

/** How the tables were merged. */
export function showFamilies(report: Report): Section[] {
  const { families, tables: sums } = report.totals;
  if (families.length === 0) return [];
  const all = sums.spliced + sums.aligned;
  const share = all === 0 ? 0 : Math.round((1000 * sums.spliced) / all) / 10;
  const text = `${formatCount(sums.spliced)} of ${formatCount(all)} tables (${share}%) were spliced: their bytes were copied, not decoded.`;
  const rows = families.map((one) => [one.family, formatCount(one.spliced), formatCount(one.aligned)]);
  const tables = [table("Tables by family", ["family", "spliced>", "aligned>"], rows)];
  return [section("Spliced and aligned", { text: [text], picture: drawFamilies(report), tables })];
}
