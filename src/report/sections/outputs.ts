import { posix } from "node:path";
import { hasCosts } from "../../cost/run-cost.ts";
import type { PartialTable } from "../../model/partial-table.ts";
import type { Report } from "../../model/report.ts";
import { isGcsPath } from "../../model/storage-path.ts";
import { formatBytes, formatCount, formatMemory, formatNumber, formatSeconds } from "../../model/units.ts";
import { formatSum, formatTime } from "../format.ts";
import { countPartial, formatShareOf, type PartialOfPair, rankPartial } from "../partial-tables.ts";
import {
  type Cell,
  foldedTable,
  number,
  openTable,
  type Section,
  section,
  type TableText,
  text,
  value,
} from "./section.ts";

/** Pairs of which the outputs are seen at once. */
const mostOpen = 30;

/** The outputs with their manifests, and every pair and attempt. */
export function showPairs(report: Report): Section[] {
  if (report.pairs.length === 0) return [];
  const whole = report.pairs.some(({ output }) => output !== undefined) && rankPartial(report.pairs).length === 0;
  const paragraphs = whole
    ? ["Every table has exactly the rows of the targets: no row was null-filled or dropped."]
    : [];
  const tables = [tabulateOutputs(report), tabulatePairs(report), tabulateAttempts(report)];
  return [section("Pairs and outputs", { paragraphs, tables })];
}

function tabulateOutputs(report: Report): TableText {
  const sizes = [number("Rows"), number("Columns"), number("Size")];
  const columns = [value("Pair"), ...sizes, value("Output"), value("Manifest")];
  const rows = report.pairs.flatMap(({ pair, output }) => {
    if (output === undefined) return [];
    const counts = [formatCount(output.rows), formatCount(output.columns), formatBytes(output.sizeBytes)];
    return [[pair, ...counts, toCell(report, output.name), toCell(report, output.manifest)]];
  });
  return (rows.length > mostOpen ? foldedTable : openTable)("Outputs", columns, rows);
}

/**
 * A file of the output folder. The report is in runs/<run>/ of that folder, so that a link may be relative. A browser cannot
 * open an object of a bucket beside the report, so that its name is only text.
 */
function toCell({ output }: Report, name: string): Cell {
  if (isGcsPath(output)) return `${output.replace(/\/+$/, "")}/${name}`;
  return { text: name, href: posix.join("..", "..", encodeURIComponent(name)) };
}

function tabulatePairs(report: Report): TableText {
  const priced = hasCosts(report.backend, report.cost);
  const columns = [
    ...[value("Pair"), value("State"), number("Spliced"), number("Aligned"), number("Time")],
    ...[number("Estimated cost"), text("Reason")],
  ];
  const rows = report.pairs.map(({ pair, state, output, tables, seconds, cost, why = "" }) => {
    const counts = output === undefined ? ["–", "–"] : [formatCount(tables.spliced), formatCount(tables.aligned)];
    const time = cost.attempts.length === 0 ? "–" : formatSeconds(seconds);
    return [pair, state, ...counts, time, priced ? formatSum(cost.estimated) : "–", why];
  });
  return foldedTable("All pairs", columns, rows);
}

function tabulateAttempts({ pairs }: Report): TableText {
  const columns = [
    ...[value("Pair"), number("Attempt"), value("Result"), value("Start (UTC)"), number("Time")],
    ...[value("Requested"), number("Largest working set"), text("ID")],
  ];
  const rows = pairs.flatMap(({ pair, cost }) =>
    cost.attempts.map((attempt, index) => [
      pair,
      formatCount(index + 1),
      attempt.ended,
      attempt.start === undefined ? "–" : formatTime(attempt.start),
      formatSeconds(attempt.seconds),
      `${formatCount(attempt.vcpu)} vCPU, ${formatMemory(attempt.requestedBytes)}${attempt.spot ? ", Spot" : ""}`,
      attempt.peakBytes === undefined ? "–" : formatMemory(attempt.peakBytes),
      attempt.id,
    ]),
  );
  return foldedTable("All attempts", columns, rows);
}

/** Tables that are seen at once, and those that the page has at most: thousands would make it slow. */
const mostWorst = 20;
const mostListed = 1000;

/** What every table with other rows than the targets fills and loses, the worst first; nothing if there is none. */
export function showPartialTables({ pairs }: Report): Section[] {
  const ranked = rankPartial(pairs);
  if (ranked.length === 0) return [];
  const left = ranked.length - mostListed;
  const paragraphs = [
    `${countPartial(ranked)} other rows than the targets. Where such a table has no row for a key, its columns are null; its rows with other keys are dropped. All other tables have exactly the rows of the targets.`,
    ...(left > 0 ? [`${formatNumber(left, "more table")} of this kind: report.json lists all.`] : []),
  ];
  const rest = ranked.slice(mostWorst, mostListed);
  const tables = [
    openTable("The worst tables", partialColumns, ranked.slice(0, mostWorst).map(describePartial)),
    foldedTable(formatNumber(rest.length, "more table"), partialColumns, rest.map(describePartial)),
  ];
  return [section("Rows matched, null-filled and dropped", { paragraphs, tables })];
}

const partialColumns = [
  ...[value("Pair"), value("Table"), number("Rows of the output"), number("Matched"), number("Null-filled")],
  ...[number("Null-filled share"), number("Dropped")],
];

function describePartial({ pair, rows, table }: PartialOfPair): string[] {
  const { rowsMatched, rowsNullFilled, rowsDropped }: PartialTable = table;
  const filled = [formatCount(rowsMatched), formatCount(rowsNullFilled), formatShareOf(rowsNullFilled, rows)];
  return [pair, table.table, formatCount(rows), ...filled, formatCount(rowsDropped)];
}
