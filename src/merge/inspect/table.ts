import type { Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { LoadedRange } from "../../parquet/column-file.ts";
import type { Footer } from "../../parquet/footer.ts";
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

/**
 * Opens one table, reads its footer and its key chunks, and checks its page headers. Returns the table or all of its
 * problems. `buffer` holds the key chunks.
 */
export async function inspectTable(
  store: Store,
  listed: ListedTable,
  keyName: string,
  buffer: ReusableBuffer,
): Promise<KeyedTable | readonly Problem[]> {
  const { file } = listed;
  const opened = await store.open(file);
  try {
    const guess = opened.isRemote ? remoteFooterGuess : footerGuess;
    const { footer, start } = await readFooter(opened, guess, buffer);
    const key = footer.columns.find((column) => column.name === keyName);
    const unreadable = checkReadable(footer);
    if (unreadable.length > 0)
      return unreadable.map(({ found, fix }) => ({ what: damage, found, fix, table: file.table }));
    const wrong = checkFooter(footer, start);
    if (wrong.length > 0) return wrong.map((found) => damaged(file, found));
    // Over a network this would be a download of the whole table.
    const broken = opened.isRemote ? [] : (await checkFilePages(footer, opened)).broken;
    if (broken.length > 0) return broken.map((found) => damaged(file, found));
    if (key === undefined || key.nested) return [missingKey(file, keyName, footer)];
    return {
      table: { ...listed, footer, dataEnd: start, key },
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

function missingKey(file: InputFile, key: string, footer: Footer): Problem {
  const names = footer.columns.slice(0, 5).map((column) => column.name);
  const more = footer.columns.length > names.length ? ` and ${footer.columns.length - names.length} more` : "";
  return {
    what: `no flat key column ${key}`,
    found: `columns ${names.join(", ")}${more}`,
    fix: "extract the table with its key, or name the key with --key",
    table: file.table,
  };
}
