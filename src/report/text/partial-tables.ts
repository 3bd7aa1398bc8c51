import { largest } from "../../model/numbers.ts";
import type { PartialTable } from "../../model/partial-table.ts";
import { agree, formatCount, formatNumber } from "../../model/units.ts";
import { countPartial, type PairWithOutput, rankPartial } from "../partial-tables.ts";

/** Tables that a text names. */
const mostTables = 10;

/** What every table of a pair that is not whole fills and loses, the worst first. */
export function listPartialTables(rows: number, tables: readonly PartialTable[]): string[] {
  const head = `${formatNumber(tables.length, "table")} ${agree(tables.length, "has", "have")}`;
  return listTables(
    head,
    tables.map((table) => ({ name: table.table, rows, table })),
  );
}

/** The same for all pairs of a run. */
export function listPartialOfRun(pairs: readonly PairWithOutput[]): string[] {
  const ranked = rankPartial(pairs);
  return listTables(
    countPartial(ranked),
    ranked.map(({ pair, rows, table }) => ({ name: `${pair}/${table.table}`, rows, table })),
  );
}

interface NamedTable {
  readonly name: string;
  /** Rows of the output. */
  readonly rows: number;
  readonly table: PartialTable;
}

function listTables(head: string, tables: readonly NamedTable[]): string[] {
  if (tables.length === 0) return [];
  const shown = tables.slice(0, mostTables);
  const width = largest(shown.map(({ name }) => name.length));
  const lines = shown.map(({ name, rows, table }) => `  ${name.padEnd(width)}  ${describeRows(rows, table)}`);
  const more = tables.length - shown.length;
  return [
    `${head} other rows than the targets:`,
    ...lines,
    ...(more > 0 ? [`  and ${formatCount(more)} more: --json lists all`] : []),
  ];
}

function describeRows(rows: number, { rowsMatched, rowsNullFilled, rowsDropped }: PartialTable): string {
  const counts = [
    `${formatCount(rowsMatched)} of ${formatNumber(rows, "row")} matched`,
    `${formatCount(rowsNullFilled)} null-filled`,
    `${formatCount(rowsDropped)} dropped`,
  ];
  return counts.join(", ");
}
