import type { Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { LoadedRange } from "../../parquet/column-file.ts";
import type { Column, ColumnChunk, Footer } from "../../parquet/footer.ts";
import { checkFooter, checkReadable } from "../../parquet/footer-check.ts";
import { ParquetError, readFooter } from "../../parquet/footer-reader.ts";
import type { OpenFile, Store } from "../../store/store.ts";
import type { InspectedTable, ListedTable } from "../table.ts";
import { checkFilePages } from "./page-headers.ts";

/** Covers the footer of a table with some hundred columns in one read; where each read is a request, some dozens. */
const footerGuess = 64 * 1024;
const remoteFooterGuess = 4 * 1024;
/** Where every read is a request, a few bytes too many cost less than another request. */
const gapBytes = 64 * 1024;

/**
 * A table with its encoded key chunks, which live until the key is proven: kept for every table, they would make memory
 * grow with the pair.
 */
export interface KeyedTable {
  readonly table: InspectedTable;
  readonly keyChunks: readonly LoadedRange[];
}

/** Opens one table, reads footer and key chunks, walks its page headers. Every problem it has, or the table; its key
 * pieces lie in `scratch`. */
export async function inspectTable(
  store: Store,
  listed: ListedTable,
  keyName: string,
  scratch: ReusableBuffer,
): Promise<KeyedTable | readonly Problem[]> {
  const { file } = listed;
  const opened = await store.open(file);
  try {
    const guess = opened.isRemote ? remoteFooterGuess : footerGuess;
    const { footer, start } = await readFooter(opened, guess, scratch);
    const key = footer.columns.find((column) => column.name === keyName);
    const problems = [...checkReadable(footer), ...checkFooter(footer, start)];
    if (problems.length > 0) return problems.map((found) => damaged(file, found));
    // Without cheap small reads this would be a download of the whole table.
    const broken = opened.isRemote ? [] : (await checkFilePages(footer, opened)).broken;
    if (broken.length > 0) return broken.map((found) => damaged(file, found));
    if (key === undefined || key.nested) return [missingKey(file, keyName, footer)];
    return {
      table: { ...listed, footer, dataEnd: start, key },
      keyChunks: await readChunks(opened, footer, [key], scratch),
    };
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error;
    return [{ what: "not a readable Parquet file", found: error.message, fix: error.fix, table: file.table }];
  } finally {
    await opened.close();
  }
}

/** The encoded chunks of some columns, one piece a chunk; chunks that lie side by side are one read. */
export async function readChunks(
  opened: OpenFile,
  footer: Footer,
  columns: readonly Column[],
  scratch?: ReusableBuffer,
): Promise<LoadedRange[]> {
  const groups = footer.rowGroups.filter((group) => group.rows > 0);
  const chunks = groups.flatMap((group) =>
    columns.flatMap((column) => group.chunks.slice(column.firstLeaf, column.firstLeaf + column.leaves)),
  );
  const pieces = new Map<ColumnChunk, LoadedRange>();
  for (const run of joinChunks(chunks, opened.isRemote ? gapBytes : 0)) {
    const bytes = await opened.read(run.start, run.end - run.start, scratch?.take(run.end - run.start));
    for (const chunk of run.chunks) {
      const at = chunk.start - run.start;
      pieces.set(chunk, { start: chunk.start, bytes: bytes.subarray(at, at + chunk.size) });
    }
  }
  // In the order of the row groups, which need not be that of the file.
  return chunks.map((chunk) => {
    const piece = pieces.get(chunk);
    if (piece === undefined) throw new Error(`the chunk at ${chunk.start} was not read`);
    return piece;
  });
}

interface ChunkRun {
  readonly start: number;
  end: number;
  readonly chunks: ColumnChunk[];
}

/** Chunks in file order, joined where at most `gap` bytes lie between them. */
function joinChunks(chunks: readonly ColumnChunk[], gap: number): ChunkRun[] {
  const runs: ChunkRun[] = [];
  for (const chunk of chunks.toSorted((left, right) => left.start - right.start)) {
    const last = runs.at(-1);
    if (last === undefined || chunk.start > last.end + gap)
      runs.push({ start: chunk.start, end: chunk.start + chunk.size, chunks: [chunk] });
    else {
      last.end = Math.max(last.end, chunk.start + chunk.size);
      last.chunks.push(chunk);
    }
  }
  return runs;
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
