import { isMeant, type Renames } from "../../model/column-names.ts";
import type { PairNames } from "../../model/folders.ts";
import { matches } from "../../model/table-choice.ts";

/** The names of a table's columns, as they are in its file. */
export interface NamedTable {
  readonly table: string;
  readonly columns: readonly string[];
}

/**
 * Rules of `rename`, as `column=name`, that are for no column of these tables. They may be misspelt, or meant for another pair
 * of a run. Nothing is known of the columns of tables that are `excluded`, so a rule for one of them counts as used.
 */
export function findUnusedRules(
  rename: Renames,
  tables: readonly NamedTable[],
  { pair, excluded }: { readonly pair: PairNames; readonly excluded: readonly string[] },
): string[] {
  const isUsed = (rule: string): boolean =>
    tables.some(({ table, columns }) => columns.some((column) => isMeant(rule, { pair, table, column }))) ||
    excluded.some((table) => rule.includes("/") && matches(rule.slice(0, rule.indexOf("/")), table, pair));
  return Object.entries(rename)
    .filter(([rule]) => !isUsed(rule))
    .map(([rule, name]) => `${rule}=${name}`);
}
