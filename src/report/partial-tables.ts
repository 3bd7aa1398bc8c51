/** The tables of a run that do not have exactly the targets' rows. */
import type { PartialTable } from "../model/partial-table.ts";
import { agree, formatNumber } from "../model/units.ts";

/** Such a table in the output of a pair, which has so many rows. */
export interface PartialOfPair {
  readonly pair: string;
  readonly rows: number;
  readonly table: PartialTable;
}

/** A pair, and what is known of its output once it is done. */
export interface PairWithOutput {
  readonly pair: string;
  readonly output?: { readonly rows: number; readonly partialTables: readonly PartialTable[] };
}

/** Those of all pairs, the largest share of null-filled rows first. */
export function rankPartial(pairs: readonly PairWithOutput[]): readonly PartialOfPair[] {
  const found = pairs.flatMap(({ pair, output }) =>
    (output?.partialTables ?? []).map((table) => ({ pair, rows: output?.rows ?? 0, table })),
  );
  const share = ({ rows, table }: PartialOfPair): number => table.rowsNullFilled / Math.max(1, rows);
  // The sort is stable: equal tables stay in the order of their pairs.
  return found.sort((left, right) => share(right) - share(left) || right.table.rowsDropped - left.table.rowsDropped);
}

/** "2 tables of 1 pair have", to be continued. */
export function countPartial(ranked: readonly PartialOfPair[]): string {
  const pairs = new Set(ranked.map(({ pair }) => pair)).size;
  const tables = formatNumber(ranked.length, "table");
  return `${tables} of ${formatNumber(pairs, "pair")} ${agree(ranked.length, "has", "have")}`;
}

/** A share of rows: "0%" and "100%" mean none and all. */
export function formatShareOf(some: number, all: number): string {
  if (some === 0) return "0%";
  if (some === all) return "100%";
  const percent = Math.min(99.9, Math.max(0.1, (100 * some) / all));
  return `${percent.toFixed(1)}%`;
}
