import Table from "cli-table3";
import { hasCosts, indexPairCosts } from "../../cost/run-cost.ts";
import type { CostForecast, RunCost, Sum } from "../../model/cost.ts";
import { largest } from "../../model/numbers.ts";
import { attemptPeak, attemptSeconds, type PairOutcome, type RunView } from "../../model/run.ts";
import { formatCount, formatMemory, formatNumber, formatSeconds } from "../../model/units.ts";
import { makeVisible } from "../../model/visible.ts";
import { describeMissing, formatBilled, formatSum } from "../format.ts";
import { listPartialOfRun } from "./partial-tables.ts";

const plain = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " },
};

/** A run for the terminal, as lines without line breaks: one for each pair, the reasons of failures, and the sums. */
export function describeRun(view: RunView, cost: RunCost): string[] {
  const { record } = view;
  const priced = hasCosts(record.backend, cost);
  const head = ["pair", "state", "attempt", "tables", "memory / ceiling", "time"];
  const table = makeTable(priced ? [...head, "cost"] : head);
  const costOf = indexPairCosts(cost);
  for (const pair of view.pairs) {
    const cells = describePair(pair, view.at);
    table.push((priced ? [...cells, formatSum(costOf(pair.pair).estimated)] : cells).map(makeVisible));
  }
  const reasons = view.pairs.filter((pair) => pair.why !== undefined && !pair.state.startsWith("done"));
  return [
    `run ${record.run} on ${record.backend}${record.cancelled ? ", cancelled" : ""}: ${countStates(view.pairs)}`,
    "",
    ...drawTable(table),
    ...listBlock(reasons.map((pair) => `${pair.pair}: ${pair.why}`)),
    ...listBlock(listPartialOfRun(view.pairs)),
    ...(priced ? ["", ...describeCost(cost)] : []),
  ];
}

/** Indented lines after an empty one; none for none. */
function listBlock(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", ...lines.map((line) => `  ${line}`)];
}

function describeCost({ estimated, billed, monthly, prices, basis }: RunCost): string[] {
  const sums = [`estimated ${formatSum(estimated)}`, ...(billed === null ? [] : [`billed ${formatBilled(billed)}`])];
  return [
    `${sums.join(", ")}${describeStorage(monthly)}; prices: ${prices.name} of ${prices.date}`,
    ...listMissing(estimated),
    basis,
  ];
}

/** The cost of a run that has not started, for the terminal. */
export function describeForecast(forecast: CostForecast): string[] {
  const table = makeTable(["pair", "cost"]);
  for (const pair of forecast.pairs) table.push([pair.pair, formatSum(pair.estimated)].map(makeVisible));
  const sums = `estimated ${formatSum(forecast.estimated)} if every pair is started once${describeStorage(forecast.monthly)}; prices: ${forecast.prices.name} of ${forecast.prices.date}`;
  return [...drawTable(table), "", sums, ...listMissing(forecast.estimated), forecast.basis];
}

/** Outputs on a disk have no price. */
function describeStorage(monthly: Sum): string {
  return monthly.usd === 0 && monthly.missing.length === 0 ? "" : `; storage ${formatSum(monthly)} a month`;
}

function listMissing(sum: Sum): string[] {
  return sum.missing.length === 0 ? [] : [describeMissing(sum)];
}

function makeTable(head: string[]): Table.Table {
  const style = { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true };
  const colAligns = head.map((name) => (name === "time" || name === "cost" ? "right" : "left") as "right" | "left");
  return new Table({ head, chars: plain, style, colAligns });
}

/** A table's lines. Its cells are made visible before it is drawn: their widths decide where the next column begins. */
function drawTable(table: Table.Table): string[] {
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

function describePair(outcome: PairOutcome, at: string): string[] {
  const seconds = outcome.attempts.reduce((sum, attempt) => sum + attemptSeconds(attempt, at), 0);
  const number = outcome.attempts.length === 0 ? "" : formatCount(outcome.attempts.length);
  const time = outcome.attempts.length === 0 ? "" : formatSeconds(seconds);
  return [outcome.pair, outcome.state, number, describeTables(outcome), describeMemory(outcome), time];
}

function describeTables(outcome: PairOutcome): string {
  if (outcome.progress !== undefined && outcome.progress.tables > 0) {
    return `${formatCount(outcome.progress.tablesDone)} of ${formatCount(outcome.progress.tables)}`;
  }
  const families = Object.values(outcome.output?.families ?? {});
  const tables = families.reduce((sum, family) => sum + family.spliced + family.aligned, 0);
  return tables === 0 ? "" : formatCount(tables);
}

/** The present working set of a running attempt, or else the largest of all attempts; and the ceiling. */
function describeMemory(outcome: PairOutcome): string {
  const ceiling = outcome.records.at(-1)?.memory.ceilingBytes ?? outcome.attempts.at(-1)?.memoryBytes;
  const peaks = outcome.attempts.flatMap((attempt) => attemptPeak(attempt, outcome.records) ?? []);
  const bytes = outcome.progress?.workingSetBytes ?? (peaks.length === 0 ? undefined : largest(peaks));
  if (ceiling === undefined) return "";
  return `${bytes === undefined ? "?" : formatMemory(bytes)} / ${formatMemory(ceiling)}`;
}

/** "27 pairs: 25 done, 2 failed". */
export function countStates(pairs: readonly { readonly state: string }[]): string {
  const counts = new Map<string, number>();
  for (const { state } of pairs) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${formatCount(count)} ${state}`);
  return `${formatNumber(pairs.length, "pair")}: ${parts.join(", ")}`;
}
