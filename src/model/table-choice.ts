/** Which tables of a checkpoint are merged: chosen and excluded by patterns of their names. */
import { fillIn, type PairNames } from "./folders.ts";

/** The patterns in force; "*" stands for any characters, "?" for one, "{pair}" for the pair or its folder. */
export interface TableChoice {
  /** Feature tables to merge; empty: all. */
  readonly tables: readonly string[];
  /** Tables to leave out, also where `tables` names them. */
  readonly excludeTables: readonly string[];
}

/** Whether one of the patterns matches a table's name or the name of its file. */
export function matchesAny(patterns: readonly string[], name: string, pair: PairNames): boolean {
  return patterns.some((pattern) => matches(pattern, name, pair));
}

/** Whether a pattern matches a name, whole; ".parquet" at the end of a pattern may stay or be left out. */
export function matches(pattern: string, name: string, pair: PairNames): boolean {
  const patterns = fillIn(pattern, pair).flatMap((named) => [named, named.replace(/\.parquet$/, "")]);
  return patterns.some((named) => toExpression(named).test(name));
}

/** Whether a feature table is to be merged. */
export function isChosen({ tables, excludeTables }: TableChoice, table: string, pair: PairNames): boolean {
  if (matchesAny(excludeTables, table, pair)) return false;
  return tables.length === 0 || matchesAny(tables, table, pair);
}

function toExpression(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su");
}
