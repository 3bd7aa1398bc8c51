/** What the columns of a table are called: renamed by rules, and the index that pandas saves told apart. */
import type { PairNames } from "./folders.ts";
import { matches } from "./table-choice.ts";

/**
 * Rules that rename columns: `column` renames it in every table, `table/column` in the tables that the pattern before the
 * first "/" matches, which comes before the general rule.
 */
export type Renames = Readonly<Record<string, string>>;

/** A column of a table of a pair. */
export interface ColumnPlace {
  readonly pair: PairNames;
  readonly table: string;
  readonly column: string;
}

/** The name of a column after the rules. */
export function renameColumn(renames: Renames, place: ColumnPlace): string {
  const rules = Object.entries(renames).filter(([rule]) => isMeant(rule, place));
  const [, name] = rules.find(([rule]) => rule !== place.column) ?? rules[0] ?? [];
  return name ?? place.column;
}

/** Whether a rule is for this column. */
export function isMeant(rule: string, { pair, table, column }: ColumnPlace): boolean {
  if (rule === column) return true;
  const slash = rule.indexOf("/");
  return slash > 0 && rule.slice(slash + 1) === column && matches(rule.slice(0, slash), table, pair);
}

/** Whether pandas saved this column for an index without a name. */
export function isPandasIndex(column: string): boolean {
  return /^__index_level_\d+__$/.test(column);
}
