/** Which tables of a checkpoint are merged: chosen and excluded by patterns of their names. */

/** The patterns in force; "*" stands for any characters, "?" for one, "{pair}" for the pair. */
export interface TableChoice {
  /** Feature tables to merge; empty: all. */
  readonly tables: readonly string[];
  /** Tables to leave out, also where `tables` names them. */
  readonly excludeTables: readonly string[];
}

/** Whether one of the patterns matches a table's name or the name of its file. */
export function matchesAny(patterns: readonly string[], name: string, pair: string): boolean {
  return patterns.some((pattern) => matches(pattern, name, pair));
}

/** Whether a pattern matches a name, whole; ".parquet" at the end of a pattern may stay or be left out. */
export function matches(pattern: string, name: string, pair: string): boolean {
  const named = pattern.replaceAll("{pair}", pair);
  return toExpression(named).test(name) || toExpression(named.replace(/\.parquet$/, "")).test(name);
}

/** Whether a feature table is to be merged. */
export function isChosen({ tables, excludeTables }: TableChoice, table: string, pair: string): boolean {
  if (matchesAny(excludeTables, table, pair)) return false;
  return tables.length === 0 || matchesAny(tables, table, pair);
}

function toExpression(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su");
}
