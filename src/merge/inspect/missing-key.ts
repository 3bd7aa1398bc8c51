import type { Problem } from "../../model/failure.ts";
import type { MissingKey } from "./table.ts";

/** Columns that a message names. */
const namesShown = 5;

/**
 * What is wrong with tables that have no key, and what would do: one problem where another key suits all tables of the
 * checkpoint, else one for each table. `tables`: the number of tables that were looked at.
 */
export function explainMissingKeys(missing: readonly MissingKey[], tables: number, key: string): Problem[] {
  const common = missing.length === tables ? findCommon(missing) : [];
  const likely = likelyKey(common, key);
  if (tables > 1 && likely !== undefined)
    return [
      {
        what: `no table has the key column ${key}`,
        found: `all ${tables} tables have ${list(common)}`,
        fix: `name the key: --key ${quote(likely)}`,
      },
    ];
  return missing.map(({ file, columns }) => {
    const meant = likelyKey(columns, key);
    const rename = meant === undefined ? "rename the column that is the key with --rename" : renameAs(meant, key);
    return {
      what: `no flat key column ${key}`,
      found: `columns ${list(columns)}`,
      fix: `${rename}, name another key for all tables with --key, or leave the table out with --exclude-tables`,
      table: file.table,
    };
  });
}

/** Columns that every table has, in the order of the first one. */
function findCommon([first, ...others]: readonly MissingKey[]): readonly string[] {
  return first?.columns.filter((name) => others.every(({ columns }) => columns.includes(name))) ?? [];
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
  return `if ${column} is the key, pass --rename ${quote(`${column}=${key}`)}`;
}

function list(names: readonly string[]): string {
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  return names.length === 0 ? "none" : `${names.slice(0, namesShown).join(", ")}${more}`;
}

/** As a shell takes it. */
function quote(text: string): string {
  return /^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
