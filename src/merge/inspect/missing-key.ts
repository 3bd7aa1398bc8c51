import type { Problem } from "../../model/failure.ts";
import { quoteForShell } from "../../model/shell.ts";
import { listNames } from "../../model/units.ts";
import type { MissingKey } from "./table.ts";

/** Columns or tables that a message names. */
const namesShown = 5;

/**
 * What is wrong with tables that have no key, and what would do: one problem where another key suits all tables of the
 * checkpoint or many lack it alike, else one for each table. `tables`: the number of tables that were looked at.
 */
export function explainMissingKeys(missing: readonly MissingKey[], tables: number, key: string): Problem[] {
  const common = missing.length === tables && tables > 1 ? findCommon(missing) : [];
  const likely = chooseLikely(common, key);
  if (likely !== undefined) return [explainOtherKey(missing, likely, key)];
  const advised = Map.groupBy(missing, ({ columns }) => adviseOnKey(columns, key));
  return [...advised].flatMap(([fix, tables]) => explainTables(tables, key, fix));
}

/** What would give a table of these columns a key. */
function adviseOnKey(columns: readonly string[], key: string): string {
  const meant = likelyKey(columns, key);
  const rename = meant === undefined ? "rename the column that is the key with --rename" : renameAs(meant, key);
  return `${rename}, name another key for all tables with --key, or leave the table out with --exclude-tables`;
}

/** More tables than this with the same advice are one problem. */
const mostAlike = 3;

function explainTables(tables: readonly MissingKey[], key: string, fix: string): Problem[] {
  const what = `no flat key column ${key}`;
  if (tables.length <= mostAlike)
    return tables.map(({ file, columns }) => ({ what, found: `columns ${list(columns)}`, fix, table: file.table }));
  const [first] = tables;
  const sets = tables.map(({ columns }) => new Set(columns));
  const common = first?.columns.filter((column) => sets.every((columns) => columns.has(column))) ?? [];
  const found = common.length === 0 ? "no column that all of them have" : `all of them have ${list(common)}`;
  const names = list(tables.map(({ file }) => file.table));
  return [{ what: `${what} in ${tables.length} tables: ${names}`, found, fix }];
}

/** A column that every table has, perhaps in another spelling, and the most frequent of its spellings. */
interface CommonColumn {
  readonly name: string;
  readonly others: readonly string[];
}

/** Columns that every table has, in the order of the first one. */
function findCommon(missing: readonly MissingKey[]): readonly CommonColumn[] {
  const tables = missing.map(({ columns }) => Map.groupBy(columns, simplify));
  const everywhere = [...(tables[0]?.keys() ?? [])].filter((simple) => tables.every((names) => names.has(simple)));
  return everywhere.map((simple) => {
    const counts = new Map<string, number>();
    for (const column of tables.flatMap((names) => names.get(simple) ?? []))
      counts.set(column, (counts.get(column) ?? 0) + 1);
    const [name = simple, ...others] = [...counts].sort((left, right) => right[1] - left[1]).map(([spelt]) => spelt);
    return { name, others };
  });
}

function chooseLikely(common: readonly CommonColumn[], key: string): CommonColumn | undefined {
  const spelt = common.find(({ name }) => simplify(name) === simplify(key));
  return spelt ?? (common.length === 1 ? common[0] : common.find(({ name }) => timeNames.has(simplify(name))));
}

/** Usual names of a key of times, as `simplify` writes them. */
const timeNames: ReadonlySet<string> = new Set(["ts", "time", "timestamp", "datetime", "date", "index", "indexlevel0"]);

function explainOtherKey(missing: readonly MissingKey[], { name, others }: CommonColumn, key: string): Problem {
  const renames = others.map((other) => `${other}=${name}`).join(",");
  const spellings = others.length === 0 ? "" : `, some as ${others.join(", ")}`;
  return {
    what: `no table has the key column ${key}`,
    found: `all ${missing.length} tables have ${name}${spellings}`,
    fix: `name the key: --key ${quoteForShell(name)}${renames === "" ? "" : ` --rename ${quoteForShell(renames)}`}`,
  };
}

/** The column that is most likely meant: the only one, or one of another case, or the index that pandas saved. */
function likelyKey(columns: readonly string[], key: string): string | undefined {
  const spelt = columns.find((name) => simplify(name) === simplify(key));
  const [only, ...others] = columns;
  return spelt ?? (others.length === 0 ? only : columns.find((name) => name === "__index_level_0__"));
}

/** Capitals and separators do not count. */
function simplify(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function renameAs(column: string, key: string): string {
  return `if ${column} is the key, pass --rename ${quoteForShell(`${column}=${key}`)}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : listNames(names, namesShown);
}
