import type { Problem } from "../contract/failure.ts";
import type { InputFile } from "../contract/plan.ts";
import { checkFooter, checkReadable } from "../parquet/check.ts";
import type { Column, Footer } from "../parquet/footer.ts";
import { walkPages } from "../parquet/pages.ts";
import type { Scratch } from "../parquet/scratch.ts";
import { ParquetError, readFooter } from "../parquet/tail.ts";
import type { Piece } from "../parquet/wrap.ts";
import type { OpenFile, Store } from "../store/store.ts";

/** Covers the footer of a table with some hundred columns in one read. */
const footerGuess = 64 * 1024;

/** A table that can be read. */
export interface Inspected {
  readonly file: InputFile;
  readonly footer: Footer;
  /** Where the footer starts; the data lies before it. */
  readonly dataEnd: number;
  readonly key: Column;
}

/** A table with its encoded key chunks. The chunks are dropped once the key is proven: kept for every table, they would
 * make memory grow with the pair. */
export interface InspectedKey {
  readonly table: Inspected;
  readonly keyPieces: readonly Piece[];
}

/** Opens one table, reads footer and key chunks, walks its page headers. Every problem it has, or the table; its key
 * pieces lie in `scratch`. */
export async function inspectTable(
  store: Store,
  file: InputFile,
  keyName: string,
  scratch: Scratch,
): Promise<InspectedKey | readonly Problem[]> {
  const opened = await store.open(file);
  try {
    const { footer, start } = await readFooter(opened, footerGuess, scratch);
    const key = footer.columns.find((column) => column.name === keyName);
    const problems = [...checkReadable(footer), ...checkFooter(footer, start)];
    if (problems.length > 0) return problems.map((found) => damaged(file, found));
    const broken = walkTable(footer, opened);
    if (broken.length > 0) return broken.map((found) => damaged(file, found));
    if (key === undefined || key.nested) return [missingKey(file, keyName, footer)];
    return {
      table: { file, footer, dataEnd: start, key },
      keyPieces: await readChunks(opened, footer, [key], scratch),
    };
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error;
    return [{ what: "not a readable Parquet file", found: error.message, fix: error.fix, table: file.table }];
  } finally {
    await opened.close();
  }
}

/** The encoded chunks of some columns, one piece a chunk. */
export async function readChunks(
  opened: OpenFile,
  footer: Footer,
  columns: readonly Column[],
  scratch?: Scratch,
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (const group of footer.rowGroups.filter((candidate) => candidate.rows > 0)) {
    for (const column of columns) {
      for (const chunk of group.chunks.slice(column.firstLeaf, column.firstLeaf + column.leaves)) {
        pieces.push({
          start: chunk.start,
          bytes: await opened.read(chunk.start, chunk.size, scratch?.take(chunk.size)),
        });
      }
    }
  }
  return pieces;
}

/** What is wrong with the pages of a table, one sentence a column chunk; with `checksums` bodies are read too. */
export function walkTable(footer: Footer, opened: OpenFile, checksums = false): string[] {
  return footer.rowGroups.flatMap((group, index) =>
    (group.rows === 0 ? [] : group.chunks).flatMap((chunk) => {
      const { problem } = walkPages(chunk, opened.peek, checksums);
      return problem === undefined ? [] : [`column ${chunk.path.join(".")}, row group ${index}: ${problem}`];
    }),
  );
}

/** The problem of a table whose bytes are not what they should be. */
export function damaged(file: Pick<InputFile, "table">, found: string): Problem {
  const fix = found.startsWith("encrypted")
    ? "decrypt the file first: encrypted pages cannot be merged"
    : "extract this table again";
  return { what: "damaged or unreadable", found, fix, table: file.table };
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
