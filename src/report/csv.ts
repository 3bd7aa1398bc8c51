import type { Report, ReportPair } from "../model/report.ts";

type Cell = string | number | undefined;

const columns: readonly (readonly [string, (pair: ReportPair, report: Report) => Cell])[] = [
  ["run", (_, report) => report.run],
  ["pair", (pair) => pair.pair],
  ["state", (pair) => pair.state],
  ["attempts", (pair) => pair.cost.attempts.length],
  ["seconds", (pair) => round(pair.seconds, 3)],
  ["rows", (pair) => pair.output?.rows],
  ["columns", (pair) => pair.output?.columns],
  ["tables_spliced", (pair) => (pair.output === undefined ? undefined : pair.tables.spliced)],
  ["tables_aligned", (pair) => (pair.output === undefined ? undefined : pair.tables.aligned)],
  ["input_bytes", (pair) => pair.output?.inputBytes],
  ["output_bytes", (pair) => pair.output?.sizeBytes],
  ["peak_memory_bytes", (pair) => pair.peakBytes],
  ["ceiling_bytes", (pair) => pair.ceilingBytes],
  ["requested_memory_bytes", (pair) => pair.cost.attempts.at(-1)?.requestedBytes],
  ["vcpu", (pair) => pair.cost.attempts.at(-1)?.vcpu],
  ["estimated_usd", (pair) => round(pair.cost.estimated.usd, 6)],
  ["estimate_lacks", (pair) => pair.cost.estimated.missing.join("; ")],
  ["billed_usd", (pair) => pair.cost.billed ?? undefined],
  ["storage_usd_per_month", (pair) => pair.cost.monthly?.usd && round(pair.cost.monthly.usd, 6)],
  ["price_list", (_, report) => `${report.cost.prices.name} ${report.cost.prices.date}`],
  ["why", (pair) => pair.why],
  ["output", (pair) => pair.output?.name],
  ["manifest", (pair) => pair.output?.manifest],
  ["tables_partial", (pair) => pair.output?.partialTables.length],
  ["worst_table", (pair) => pair.output?.partialTables[0]?.table],
  ["worst_table_rows_matched", (pair) => pair.output?.partialTables[0]?.rowsMatched],
  ["worst_table_rows_null_filled", (pair) => pair.output?.partialTables[0]?.rowsNullFilled],
  ["worst_table_rows_dropped", (pair) => pair.output?.partialTables[0]?.rowsDropped],
];

/** `report.csv`: one row per pair, quoted by RFC 4180. A text that a spreadsheet would run as a formula is made harmless. */
export function renderCsv(report: Report): string {
  const head = columns.map(([name]) => name);
  const rows = report.pairs.map((pair) => columns.map(([, read]) => read(pair, report)));
  return [head, ...rows].map((row) => `${row.map(quote).join(",")}\r\n`).join("");
}

function quote(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") return String(cell);
  // After an apostrophe, a spreadsheet takes the rest as text.
  const text = /^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
