import { Arena } from "../../parquet/arena.ts";
import { Encoding, PageError } from "../../parquet/encoding/encoding.ts";
import type { ColumnChunk } from "../../parquet/footer.ts";
import { measureExpanded } from "../../parquet/gather/decode.ts";
import { type LeafShape, leavesOf, PhysicalType } from "../../parquet/gather/shape.ts";
import { isKnownCodec } from "../../parquet/page/codec.ts";
import type { OpenFile, Store } from "../../store/store.ts";
import type { InspectedTable } from "../table.ts";

/**
 * Bytes of the byte arrays of those chunks that leave out what values share with the values before them: a few kilobytes
 * may stand for gigabytes, and nothing but their lengths says so. Reads these chunks, one at a time, unless the footer has
 * their size; other encodings take no more memory than the footer says. A chunk that cannot be read is left out: aligning
 * it fails with what is wrong, and splicing it needs no memory.
 */
export async function measureByteArrays(
  store: Store,
  table: InspectedTable,
): Promise<ReadonlyMap<ColumnChunk, number>> {
  const expanded = new Map<ColumnChunk, number>();
  const unknown: ShortenedChunk[] = [];
  for (const part of findShortened(table)) {
    const { unencodedBytes } = part.chunk;
    if (unencodedBytes !== undefined) expanded.set(part.chunk, unencodedBytes);
    else if (isKnownCodec(part.chunk.codec)) unknown.push(part);
  }
  if (unknown.length === 0) return expanded;
  const opened = await store.open(table.file);
  const arena = new Arena();
  try {
    for (const part of unknown) {
      const bytes = await measure(opened, part, arena);
      if (bytes !== undefined) expanded.set(part.chunk, bytes);
    }
  } finally {
    await opened.close();
  }
  return expanded;
}

interface ShortenedChunk {
  readonly chunk: ColumnChunk;
  readonly shape: LeafShape;
}

function findShortened({ footer }: InspectedTable): ShortenedChunk[] {
  const groups = footer.rowGroups.filter(({ rows }) => rows > 0);
  if (!groups.some(({ chunks }) => chunks.some(isShortened))) return [];
  const leaves = footer.columns.flatMap((column) => leavesOf(column));
  return groups.flatMap(({ chunks }) =>
    chunks.flatMap((chunk, leaf) => {
      const shape = leaves[leaf];
      return shape !== undefined && isShortened(chunk) ? [{ chunk, shape }] : [];
    }),
  );
}

function isShortened({ type, encodings }: ColumnChunk): boolean {
  return type === PhysicalType.byteArray && encodings.includes(Encoding.deltaByteArray);
}

async function measure(opened: OpenFile, { chunk, shape }: ShortenedChunk, arena: Arena): Promise<number | undefined> {
  const bytes = await opened.read(chunk.start, chunk.size);
  try {
    return measureExpanded(bytes, chunk.codec, shape, arena);
  } catch (error) {
    if (error instanceof PageError) return undefined;
    throw error;
  }
}
