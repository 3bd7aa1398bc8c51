import { type Footer, magic, type NamedColumn } from "./footer.ts";
import { FooterBuilder } from "./footer-builder.ts";

/** A contiguous range of a file in memory: `bytes` begin at offset `start`. */
export interface LoadedRange {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** The bytes of a chunk that lies wholly in one of the ranges. */
export function bytesOf(
  ranges: readonly LoadedRange[],
  { start, size }: { readonly start: number; readonly size: number },
): Uint8Array {
  const range = ranges.find(
    (candidate) => start >= candidate.start && start + size <= candidate.start + candidate.bytes.length,
  );
  if (range === undefined) throw new Error(`the chunk at ${start} was not read`);
  return range.bytes.subarray(start - range.start, start - range.start + size);
}

/** Whether two lists of chunks hold the same bytes, chunk by chunk. */
export function sameChunks(left: readonly LoadedRange[], right: readonly LoadedRange[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ bytes }, index) => {
      const other = right[index];
      return other !== undefined && Buffer.compare(bytes, other.bytes) === 0;
    })
  );
}

/**
 * Builds a complete small Parquet file in memory that holds only `columns`. Their encoded chunks must lie wholly in one of
 * `ranges` each. ARROW:schema and pandas metadata are left out, so a reader sees the Parquet types, the same for every
 * input. Costs one copy of the ranges.
 */
export function buildColumnFile(
  footer: Footer,
  columns: readonly NamedColumn[],
  ranges: readonly LoadedRange[],
): Buffer {
  const rowGroups = footer.rowGroups.map((group) => group.rows).filter((rows) => rows > 0);
  const builder = new FooterBuilder(rowGroups);
  const places = placeRanges(ranges);
  for (const column of columns) {
    builder.addColumn(footer, column, (chunk) => {
      const place = places.find((entry) => chunk.start >= entry.start && chunk.start + chunk.size <= entry.end);
      if (place === undefined) throw new Error(`no range holds the chunk of ${column.name}`);
      return place.delta;
    });
  }
  return Buffer.concat([magic, ...ranges.map(({ bytes }) => bytes), builder.build("widemerge")]);
}

function placeRanges(ranges: readonly LoadedRange[]): { start: number; end: number; delta: number }[] {
  let at = magic.length;
  return ranges.map(({ start, bytes }) => {
    const place = { start, end: start + bytes.length, delta: at - start };
    at += bytes.length;
    return place;
  });
}
