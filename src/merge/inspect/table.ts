import { renameColumn } from "../../model/column-names.ts";
import { type Problem, summarize } from "../../model/failure.ts";
import type { PairNames } from "../../model/folders.ts";
import type { InputFile } from "../../model/plan.ts";
import type { OutputSettings } from "../../model/settings.ts";
import { listNames } from "../../model/units.ts";
import type { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { LoadedRange } from "../../parquet/column-file.ts";
import type { Column, Footer } from "../../parquet/footer.ts";
import { checkFooter, checkReadable } from "../../parquet/footer-check.ts";
import { ParquetError, readFooter } from "../../parquet/footer-reader.ts";
import type { Store } from "../../store/store.ts";
import { readChunks } from "../ranges.ts";
import type { InspectedTable, ListedTable } from "../table.ts";
import { checkFilePages } from "./page-headers.ts";

/** Covers the footer of a table with some hundred columns in one read. */
const footerGuess = 64 * 1024;
/** Over a network: covers a footer with some dozen columns. */
const remoteFooterGuess = 4 * 1024;

/**
 * A table with its encoded key chunks, which live until the key is proven: kept for every table, they would make memory
 * grow with the pair.
 */
export interface KeyedTable {
  readonly table: InspectedTable;
  readonly keyChunks: readonly LoadedRange[];
}

/** A table that has no flat column of the key's name after renaming, and the columns that it has, flat ones and nested ones. */
export interface MissingKey {
  readonly file: InputFile;
  readonly columns: readonly string[];
  readonly nested: readonly string[];
}

/** How a table's key is found. */
export interface KeyNaming extends Pick<OutputSettings, "key" | "keyCast" | "rename"> {
  readonly pair: PairNames;
}

/**
 * Opens one table, reads its footer and its key chunks, and checks its page headers. Returns the table, or why it has no key,
 * or all of its problems. `buffer` holds the key chunks.
 */
export async function inspectTable(
  store: Store,
  listed: ListedTable,
  naming: KeyNaming,
  buffer: ReusableBuffer,
): Promise<KeyedTable | MissingKey | readonly Problem[]> {
  const { file } = listed;
  const opened = await store.open(file);
  try {
    const guess = opened.isRemote ? remoteFooterGuess : footerGuess;
    const { footer, start } = await readFooter(opened, guess, buffer);
    const [key, ...others] = footer.columns.filter(({ name }) => nameAfterRules(naming, file, name) === naming.key);
    const unreadable = checkReadable(footer);
    if (unreadable.length > 0)
      return unreadable.map(({ found, fix }) => ({ what: damage, found, fix, table: file.table }));
    const wrong = summarize(checkFooter(footer, start), (found) => damaged(file, found));
    if (wrong.length > 0) return wrong;
    const broken = opened.isRemote
      ? []
      : summarize(checkFilePages(footer, opened).broken, (found) => damaged(file, found));
    if (broken.length > 0) return broken;
    if (others.length > 0) return [ambiguousKey(file, naming.key, [key, ...others])];
    if (key === undefined || key.nested) return { file, ...sortColumns(footer) };
    return {
      table: { ...listed, footer, dataEnd: start, key, keyCast: naming.keyCast },
      keyChunks: await readChunks(opened, footer, [key], buffer),
    };
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error;
    return [{ what: "not a readable Parquet file", found: error.message, fix: error.fix, table: file.table }];
  } finally {
    await opened.close();
  }
}

const damage = "damaged or unreadable";

/** The problem of a table whose bytes contradict each other. */
export function damaged({ table }: Pick<InputFile, "table">, found: string): Problem {
  return { what: damage, found, fix: "extract this table again", table };
}

function sortColumns({ columns }: Footer): Pick<MissingKey, "columns" | "nested"> {
  const namesOf = (wanted: boolean): string[] =>
    columns.filter(({ nested }) => nested === wanted).map(({ name }) => name);
  return { columns: namesOf(false), nested: namesOf(true) };
}

function nameAfterRules({ rename, pair }: KeyNaming, { table }: InputFile, column: string): string {
  return renameColumn(rename, { pair, table, column });
}

function ambiguousKey({ table }: InputFile, key: string, columns: readonly (Column | undefined)[]): Problem {
  const found = `columns ${listNames(columns.flatMap((column) => column?.name ?? []))}`;
  return { what: `several columns are the key ${key}`, found, fix: "rename all but one of them", table };
}
