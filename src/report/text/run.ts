import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";
import { describeMissing, formatBilled, formatSum } from "../../cost/money.ts";
import type { CostForecast, RunCost } from "../../model/cost.ts";
import { attemptSeconds, type PairOutcome, type RunView } from "../../model/run.ts";
import { formatCount, formatMemory, formatSeconds } from "../../model/units.ts";

const plain = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " },
};

/** A run for the terminal: one line a pair, what went wrong, and the sums. Ends with a line break. */
export function describeRun(view: RunView, cost: RunCost): string {
  const { record } = view;
  const table = makeTable(["pair", "state", "attempt", "tables", "memory / ceiling", "time", "cost"]);
  for (const [index, pair] of view.pairs.entries()) {
    const sum = cost.pairs[index]?.estimated ?? { usd: 0, missing: [] };
    table.push([...describePair(pair, view.at), formatSum(sum)].map(clean));
  }
  const reasons = view.pairs.filter((pair) => pair.why !== undefined && !pair.state.startsWith("done"));
  const lines = [
    `run ${record.run} on ${record.backend}${record.cancelled ? ", cancelled" : ""}: ${countStates(view.pairs)}`,
    "",
    ...table.toString().split("\n"),
    "",
    ...reasons.map((pair) => `  ${pair.pair}: ${pair.why}`),
    ...(reasons.length > 0 ? [""] : []),
    `estimated ${formatSum(cost.estimated)}, billed ${formatBilled(cost.billed)}; storage ${formatSum(cost.monthly)} a month; prices: ${cost.prices.name} of ${cost.prices.date}`,
    describeMissing(cost.estimated),
    cost.basis,
  ];
  return finish(lines);
}

/** A run's cost before it runs, for the terminal. */
export function describeForecast(forecast: CostForecast): string {
  const table = makeTable(["pair", "cost"]);
  for (const pair of forecast.pairs) table.push([pair.pair, formatSum(pair.estimated)].map(clean));
  const sums = `estimated ${formatSum(forecast.estimated)} if every pair is started once; storage ${formatSum(forecast.monthly)} a month; prices: ${forecast.prices.name} of ${forecast.prices.date}`;
  const lines = [...table.toString().split("\n"), "", sums, describeMissing(forecast.estimated), forecast.basis];
  return finish(lines);
}

function makeTable(head: string[]): Table.Table {
  const style = { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true };
  const colAligns = head.map((name) => (name === "time" || name === "cost" ? "right" : "left") as "right" | "left");
  return new Table({ head, chars: plain, style, colAligns });
}

function finish(lines: readonly string[]): string {
  const shown = lines.filter((line, index) => line !== "" || (index < lines.length - 2 && lines[index - 1] !== ""));
  return shown.map((line) => `${clean(line).trimEnd()}\n`).join("");
}

/** Names and messages come from outside: none may move the cursor. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}

function describePair(outcome: PairOutcome, at: string): string[] {
  const seconds = outcome.attempts.reduce((sum, attempt) => sum + attemptSeconds(attempt, at), 0);
  const number = outcome.attempts.length === 0 ? "" : formatCount(outcome.attempts.length);
  const time = outcome.attempts.length === 0 ? "" : formatSeconds(seconds);
  return [outcome.pair, outcome.state, number, describeTables(outcome), describeMemory(outcome), time];
}

function describeTables(outcome: PairOutcome): string {
  if (outcome.progress !== undefined) {
    return `${formatCount(outcome.progress.tablesDone)} of ${formatCount(outcome.progress.tables)}`;
  }
  const families = Object.values(outcome.output?.families ?? {});
  const tables = families.reduce((sum, family) => sum + family.spliced + family.aligned, 0);
  return tables === 0 ? "" : formatCount(tables);
}

/** The working set now, or the largest one of what has ended; and the ceiling it stands against. */
function describeMemory(outcome: PairOutcome): string {
  const ceiling = outcome.records.at(-1)?.memory.ceilingBytes ?? outcome.attempts.at(-1)?.memoryBytes;
  const peaks = outcome.records.map((record) => record.memory.peakBytes);
  const bytes = outcome.progress?.workingSetBytes ?? (peaks.length === 0 ? undefined : Math.max(...peaks));
  if (ceiling === undefined) return "";
  return `${bytes === undefined ? "?" : formatMemory(bytes)} / ${formatMemory(ceiling)}`;
}

/** "27 pairs: 25 done, 2 failed". */
export function countStates(pairs: readonly { readonly state: string }[]): string {
  const counts = new Map<string, number>();
  for (const { state } of pairs) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${formatCount(count)} ${state}`);
  return `${formatCount(pairs.length)} pair${pairs.length === 1 ? "" : "s"}: ${parts.join(", ")}`;
}
