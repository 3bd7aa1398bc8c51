import { hasCosts } from "../../cost/run-cost.ts";
import type { CostLine, Sum } from "../../model/cost.ts";
import type { Report } from "../../model/report.ts";
import { formatCount, formatMemory, formatNumber, formatSeconds } from "../../model/units.ts";
import { drawCosts } from "../charts/bars.ts";
import type { Endings } from "../endings.ts";
import { describeMissing, formatBilled, formatSum, formatUsd } from "../format.ts";
import {
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

/** The cost of each pair: picture, sums, and every line of every attempt; nothing for a run that has no costs. */
export function showCosts(report: Report, endings: Endings): Section[] {
  if (!hasCosts(report.backend, report.cost)) return [];
  const { basis, estimated } = report.cost;
  const picture = drawCosts(report, endings);
  const unused = picture === undefined ? ["This run used nothing that has a price."] : [];
  const cut = noteCut(report.pairs.length, "most expensive");
  const paragraphs = [basis, ...unused, ...listGaps(estimated), ...cut];
  return [section("Cost by pair", { paragraphs, picture, tables: [tabulatePairs(report), tabulateLines(report)] })];
}

function tabulatePairs({ pairs, cost, totals }: Report): TableText {
  const columns = [value("Pair"), number("Attempts"), number("Estimated"), number("Billed"), number("Storage a month")];
  const rows = pairs.map(({ pair, cost: { attempts, estimated, billed, monthly } }) => [
    pair,
    formatCount(attempts.length),
    formatSum(estimated),
    formatBilled(billed),
    monthly === undefined ? "–" : formatLine(monthly),
  ]);
  const shared = cost.lines.map((line) => [line.what, "", formatLine(line), "–", "–"]);
  const total = [formatCount(totals.attempts), formatSum(cost.estimated), formatBilled(cost.billed)];
  return foldedTable("Cost of each pair", columns, [...rows, ...shared, ["total", ...total, formatSum(cost.monthly)]]);
}

function tabulateLines({ pairs }: Report): TableText {
  const columns = [value("Pair"), number("Attempt"), value("Result"), ...lineColumns];
  const rows = pairs.flatMap(({ pair, cost }) =>
    cost.attempts.flatMap(({ ended, lines }, index) =>
      lines.map((line) => [pair, formatCount(index + 1), ended, ...describeLine(line)]),
    ),
  );
  return foldedTable("Cost of each attempt, line by line", columns, rows);
}

const lineColumns = [value("Quantity"), value("Unit price"), number("Estimated")];

function describeLine(line: CostLine): string[] {
  const price = line.price === undefined ? `no price for ${line.item}` : `${formatPrice(line.price)} per ${line.unit}`;
  return [line.what, price, formatLine(line)];
}

function formatLine(line: CostLine): string {
  return line.usd === undefined ? "no price" : formatUsd(line.usd);
}

/** A price as it is in the list. */
function formatPrice(usd: number): string {
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 10 })}`;
}

function listGaps(sum: Sum): string[] {
  return sum.missing.length === 0 ? [] : [describeMissing(sum)];
}

/** What the next run should request. */
export function showRightSize(report: Report): Section[] {
  if (report.rightSize === undefined) return [];
  const { requested, recommended, before, after, reason } = report.rightSize;
  const columns = [value(""), number("vCPU"), number("Memory"), number("Compute cost")];
  const format = (sum: Sum): string => (hasCosts(report.backend, report.cost) ? formatSum(sum) : "–");
  const rows = [
    ["This run", formatCount(requested.vcpu), formatMemory(requested.memoryBytes), format(before)],
    ["Next run", formatCount(recommended.vcpu), formatMemory(recommended.memoryBytes), format(after)],
  ];
  const saved = before.usd - after.usd;
  const saving = saved > 0 ? [`For the finished pairs, it would have saved ${formatUsd(saved)} of compute.`] : [];
  const paragraphs = [reason, ...saving, ...listGaps(after)];
  const tables = [openTable("Request of one pair", columns, rows)];
  return [section("What the next run should request", { paragraphs, tables })];
}

/** What the cost of the run itself includes. */
function describeActual({ backend, cost, totals }: Report): string {
  if (!hasCosts(backend, cost)) return "The actual run. This machine counts as $0.";
  const failed = Object.values(totals.failures).reduce((sum, count) => sum + count, 0);
  return `The actual run, including ${failed === 0 ? "" : `${formatNumber(failed, "failed attempt")} and `}storage operations.`;
}

/** The same work on other services. */
export function showAlternatives(report: Report): Section[] {
  if (report.alternatives.length === 0) return [];
  const { cost, totals } = report;
  const thisRun = ["This run", formatSum(cost.estimated), formatSeconds(totals.wallSeconds), describeActual(report)];
  const others = report.alternatives.map(({ name, estimated, wallSeconds, basis }) => [
    name,
    estimated === undefined ? "–" : formatSum(estimated),
    wallSeconds === undefined ? "–" : formatSeconds(wallSeconds),
    basis,
  ]);
  const lines = report.alternatives.flatMap((one) => one.lines.map((line) => [one.name, ...describeLine(line)]));
  const paragraph =
    "The same bytes and the same seconds per pair, every pair started once. Storage is left out because it costs the same everywhere.";
  const columns = [text("Where"), number("Estimated"), number("Time"), text("Assumptions")];
  const tables = [
    openTable("Alternatives", columns, [thisRun, ...others]),
    foldedTable("Alternatives, line by line", [value("Where"), ...lineColumns], lines),
  ];
  return [section("The same work elsewhere", { paragraphs: [paragraph], tables })];
}
