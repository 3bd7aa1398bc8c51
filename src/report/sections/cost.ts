import { describeMissing, formatBilled, formatSum, formatUsd } from "../../cost/money.ts";
import type { CostLine, Sum } from "../../model/cost.ts";
import type { Report } from "../../model/report.ts";
import { formatCount, formatMemory, formatSeconds } from "../../model/units.ts";
import { drawCosts } from "../charts/bars.ts";
import type { Endings } from "../endings.ts";
import { type Section, section, table } from "../page.ts";

/** What each pair cost: the picture, the sums, and every line of every attempt. */
export function showCosts(report: Report, endings: Endings): Section[] {
  const { cost } = report;
  const picture = drawCosts(report, endings);
  const text = [cost.basis, ...(picture === undefined ? ["Nothing that has a price was used."] : [])];
  const pairs = report.pairs.map((pair) => [
    pair.pair,
    formatCount(pair.cost.attempts.length),
    formatSum(pair.cost.estimated),
    formatBilled(pair.cost.billed),
    pair.cost.monthly === undefined ? "–" : showPrice(pair.cost.monthly),
  ]);
  const run = cost.lines.map((line) => [line.what, "", showPrice(line), "–", "–"]);
  const sum = ["all", formatCount(report.totals.attempts), formatSum(cost.estimated), formatBilled(cost.billed)];
  const names = ["pair", "attempts>", "estimated>", "billed>", "storage a month>"];
  const lines = report.pairs.flatMap((pair) =>
    pair.cost.attempts.flatMap((attempt, index) =>
      attempt.lines.map((line) => [pair.pair, formatCount(index + 1), attempt.ended, ...describeLine(line)]),
    ),
  );
  const tables = [
    table("Cost of every pair", names, [...pairs, ...run, [...sum, formatSum(cost.monthly)]]),
    table("Cost of every attempt, line by line", ["pair", "attempt>", "end", "what", "price", "estimated>"], lines),
  ];
  return [section("Cost by pair", { text: [...text, ...gaps(cost.estimated)], picture, tables })];
}

function gaps(sum: Sum): string[] {
  const missing = describeMissing(sum);
  return missing === "" ? [] : [missing];
}

function describeLine(line: CostLine): string[] {
  const price = line.price === undefined ? `no price for ${line.item}` : `${exactUsd(line.price)} per ${line.unit}`;
  return [line.what, price, showPrice(line)];
}

function showPrice(line: CostLine): string {
  return line.usd === undefined ? "no price" : formatUsd(line.usd);
}

/** A price as it stands in the list. */
function exactUsd(usd: number): string {
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 10 })}`;
}

/** What the next run should ask for. */
export function showNextRun(report: Report): Section[] {
  const right = report.rightSize;
  if (right === undefined) return [];
  const { requested, recommended, before, after } = right;
  const rows = [
    ["this run", formatCount(requested.vcpu), formatMemory(requested.memoryBytes), formatSum(before)],
    ["next run", formatCount(recommended.vcpu), formatMemory(recommended.memoryBytes), formatSum(after)],
  ];
  const saved = before.usd - after.usd;
  const saving =
    saved > 0 ? [`It would have saved ${formatUsd(saved)} of the compute of the pairs that are done.`] : [];
  const asked = table("Request of a pair", ["", "vCPU>", "memory>", "compute>"], rows, false);
  return [
    section("What the next run should ask for", { text: [right.reason, ...saving, ...gaps(after)], tables: [asked] }),
  ];
}

/** The same work done in other ways. */
export function showOtherWays(report: Report): Section[] {
  if (report.alternatives.length === 0) return [];
  const failed = Object.values(report.totals.failures).reduce((sum, count) => sum + count, 0);
  const here = [
    "This run",
    formatSum(report.cost.estimated),
    formatSeconds(report.totals.wallSeconds),
    `As it went, with ${formatCount(failed)} failed attempt${failed === 1 ? "" : "s"} and storage operations.`,
  ];
  const rows = report.alternatives.map((way) => [
    way.name,
    way.estimated === undefined ? "–" : formatSum(way.estimated),
    way.wallSeconds === undefined ? "–" : formatSeconds(way.wallSeconds),
    way.basis,
  ]);
  const lines = report.alternatives.flatMap((way) => way.lines.map((line) => [way.name, ...describeLine(line)]));
  const text =
    "The same bytes and the same seconds a pair, every pair started once; storage is left out, as it is the same in each.";
  const tables = [
    table("Other ways", ["way", "estimated>", "time>", "taken as"], [here, ...rows], false),
    table("Other ways, line by line", ["way", "what", "price", "estimated>"], lines),
  ];
  return [section("The same work another way", { text: [text], tables })];
}
