/** The encoded chunks of a source column and of the output column that was made from it: read, checked page by page, compared. */
import { type Column, type ColumnChunk, chunksOf, type Footer } from "../../parquet/footer.ts";
import type { ColumnSource } from "../../parquet/gather/compare.ts";
import { findMetadataDifferences } from "../../parquet/metadata-difference.ts";
import { checkPages } from "../../parquet/pages.ts";
import type { OpenFile } from "../../store/store.ts";
import { readChunks } from "../ranges.ts";

/** A column of the source and the column of the output that was made from it. */
export interface ColumnPair {
  readonly from: Column;
  readonly to: Column;
}

/** A pair of columns with their encoded chunks. */
export interface LoadedPair extends ColumnPair {
  readonly source: ColumnSource;
  readonly output: ColumnSource;
}

/** A chunk of the source and the one in its place in the output. */
interface ChunkPair {
  readonly chunk: ColumnChunk;
  readonly copy: ColumnChunk;
  /** Index of the leaf in the source's footer. */
  readonly leaf: number;
}

/** Reads the chunks of some columns; neighbours are one read. */
export async function loadChunks(
  { footer, opened }: { readonly footer: Footer; readonly opened: OpenFile },
  columns: readonly Column[],
): Promise<(chunk: ColumnChunk) => Uint8Array> {
  const pieces = await readChunks(opened, footer, columns);
  const byStart = new Map(pieces.map(({ start, bytes }) => [start, bytes]));
  return ({ start }) => {
    const bytes = byStart.get(start);
    if (bytes === undefined) throw new Error(`the chunk at ${start} was not read`);
    return bytes;
  };
}

/** Checks page headers and checksums of a column, up to the first problem. */
export function checkColumnPages({ footer, column, bytesOf }: ColumnSource): {
  pages: number;
  problem: string | undefined;
} {
  let pages = 0;
  for (const chunk of chunksOf(footer, [column])) {
    const bytes = bytesOf(chunk);
    const source = (start: number, length: number) => bytes.subarray(start - chunk.start, start - chunk.start + length);
    const check = checkPages(chunk, source, true);
    pages += check.pages;
    if (check.problem !== undefined) return { pages, problem: `column ${chunk.path.join(".")}: ${check.problem}` };
  }
  return { pages, problem: undefined };
}

/**
 * The output's chunks that have the very pages of the source's, in the same places, each with its source; undefined where one
 * has others, or where the row groups are others.
 */
export function findCopies({ source, output }: LoadedPair): readonly ChunkPair[] | undefined {
  const pairs = pairChunks(source, output);
  const same = pairs?.every(({ chunk, copy }) => Buffer.compare(source.bytesOf(chunk), output.bytesOf(copy)) === 0);
  return same === true ? pairs : undefined;
}

/** What copied chunks say otherwise than those of the source, each once. */
export function findDifferencesOfCopies({ source }: LoadedPair, copies: readonly ChunkPair[]): string[] {
  const found = copies.flatMap(({ chunk, copy, leaf }) =>
    findMetadataDifferences(chunk, copy, source.footer.columnOrders?.[leaf] !== undefined),
  );
  return [...new Set(found)];
}

/** The chunks of both sides; undefined where row groups or leaves do not correspond. Row groups without rows do not count. */
function pairChunks(source: ColumnSource, output: ColumnSource): ChunkPair[] | undefined {
  const [left, right] = [groupsOf(source), groupsOf(output)];
  if (left.length !== right.length || source.column.leaves !== output.column.leaves) return undefined;
  const pairs: ChunkPair[] = [];
  for (const [index, group] of left.entries()) {
    const other = right[index];
    if (other?.rows !== group.rows) return undefined;
    for (let leaf = 0; leaf < source.column.leaves; leaf++) {
      const chunk = group.chunks[source.column.firstLeaf + leaf];
      const copy = other.chunks[output.column.firstLeaf + leaf];
      if (chunk === undefined || copy === undefined) throw new Error("a row group without a chunk of the column");
      pairs.push({ chunk, copy, leaf: source.column.firstLeaf + leaf });
    }
  }
  return pairs;
}

function groupsOf({ footer }: ColumnSource): Footer["rowGroups"] {
  return footer.rowGroups.filter(({ rows }) => rows > 0);
}
