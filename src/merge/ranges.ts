/** Ranges of input files: joined, so that neighbours are one read, and read. */
import type { ReusableBuffer } from "../parquet/buffer-pool.ts";
import { bytesOf, type LoadedRange } from "../parquet/column-file.ts";
import { type Column, chunksOf, type Footer } from "../parquet/footer.ts";
import type { OpenFile } from "../store/store.ts";
import type { PlannedTable } from "./table.ts";

/** Bytes of a file, from `start` up to but not including `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Over a network, reading this many unused bytes costs less than another request; writers leave some dozens between chunks. */
export const remoteGapBytes = 64 * 1024;

/** Ranges in the order of the file, joined where at most `gap` bytes lie between them. */
export function joinRanges(ranges: readonly Range[], gap: number): Range[] {
  const joined: { start: number; end: number }[] = [];
  const sorted = ranges.toSorted((left, right) => left.start - right.start || left.end - right.end);
  for (const { start, end } of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last.end + gap) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

/**
 * The encoded chunks of some columns, row group by row group; neighbours in the file are one read. `buffer` takes their
 * bytes.
 */
export async function readChunks(
  opened: OpenFile,
  footer: Footer,
  columns: readonly Column[],
  buffer?: ReusableBuffer,
): Promise<LoadedRange[]> {
  const chunks = chunksOf(footer, columns);
  const ranges = chunks.map(({ start, size }) => ({ start, end: start + size }));
  const loaded: LoadedRange[] = [];
  for (const { start, end } of joinRanges(ranges, opened.isRemote ? remoteGapBytes : 0))
    loaded.push({ start, bytes: await opened.read(start, end - start, buffer?.take(end - start)) });
  return chunks.map((chunk) => ({ start: chunk.start, bytes: bytesOf(loaded, chunk) }));
}

/** Whether the rows of a table are known before it is aligned; otherwise its key is read and matched once more. */
export function hasKnownRows({ plan, proof }: PlannedTable): boolean {
  return plan.sameKeys || proof.runs !== undefined;
}

/** Whether aligning takes the chunks of a table in the order of the file: it does so in one row group, if the key comes first. */
export function isInOrder(table: PlannedTable): boolean {
  const { footer, key, columns } = table;
  const [group, ...others] = footer.rowGroups.filter(({ rows }) => rows > 0);
  if (group === undefined || others.length > 0) return false;
  const matched = hasKnownRows(table) ? [] : [key];
  const chunks = [...matched, ...columns.map(({ column }) => column)].flatMap(({ firstLeaf, leaves }) =>
    group.chunks.slice(firstLeaf, firstLeaf + leaves),
  );
  return chunks.every(({ start }, index) => {
    const before = chunks[index - 1];
    return before === undefined || before.start + before.size <= start;
  });
}
