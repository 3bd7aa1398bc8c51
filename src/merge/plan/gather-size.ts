/** The memory in which one column of a table is gathered: what src/parquet/gather holds at once, from what the footer says. */
import { largest, sum } from "../../model/numbers.ts";
import { MiB } from "../../model/units.ts";
import { Encoding, isDictionaryEncoding } from "../../parquet/encoding/encoding.ts";
import type { Column, ColumnChunk } from "../../parquet/footer.ts";
import { pageBytes } from "../../parquet/gather/page-rows.ts";
import { type LeafShape, leavesOf, PhysicalType, valueWidth } from "../../parquet/gather/shape.ts";
import { compressBound } from "../../parquet/page/codec.ts";
import type { ProvenTable } from "../table.ts";
import type { Layout } from "./layout.ts";

/** What gathering a column holds in bytes. */
export interface GatherSize {
  /** The decoded row groups, the page that is unpacked, and the page that is written. */
  readonly column: number;
  /** The encoded chunk of an output row group. */
  readonly chunk: number;
}

/** The largest of a table's columns. `layout`: the rows of the row groups of the output. */
export function largestGather(table: ProvenTable, columns: readonly Column[], layout: Layout): GatherSize {
  const sizes = columns.flatMap((column) =>
    widthsOf(column).map((shape, index) => leafSize(table, column, shape, column.firstLeaf + index, layout)),
  );
  return {
    column: largest(sizes.map(({ column }) => column)),
    chunk: largest(sizes.map(({ chunk }) => chunk)),
  };
}

/** What of a leaf decides how much memory its values take. */
type LeafWidth = Pick<LeafShape, "width" | "boolean" | "maxDefinition">;

/** The leaves of a column. Those of flat columns, of which there are thousands, are read off their element. */
export function widthsOf(column: Column): readonly LeafWidth[] {
  const [element] = column.elements;
  if (column.nested || element === undefined) return leavesOf(column);
  const boolean = element.type === PhysicalType.boolean;
  return [{ width: valueWidth(element), boolean, maxDefinition: element.repetition === 0 ? 0 : 1 }];
}

function leafSize(table: ProvenTable, column: Column, shape: LeafWidth, leaf: number, layout: Layout): GatherSize {
  const groups = table.footer.rowGroups.flatMap(({ rows, chunks }) => {
    const chunk = chunks[leaf];
    return rows === 0 || chunk === undefined ? [] : [{ rows, size: decodedSizes(table, column, shape, chunk, rows) }];
  });
  const partRows = largest(layout);
  const window = largestWindow(groups, windowRows(table, partRows, groups));
  const decoded = window.map(({ size }) => size);
  const held = sum(decoded.map(({ held: bytes }) => bytes));
  const plain = sum(decoded.map(({ plain: bytes }) => bytes));
  const rows = sum(window.map((group) => group.rows));
  // Several row groups are joined into one leaf beside them.
  const joined = window.length > 1 ? plain : 0;
  const page = largest(decoded.map(({ page: bytes }) => bytes));
  const encoded = sum(decoded.map(({ encoded: bytes }) => bytes));
  return {
    column: held + joined + page + pageSize(shape, partRows),
    chunk: encoded * Math.min(1, partRows / Math.max(1, rows)),
  };
}

/** What one chunk takes in bytes while its column is gathered. */
export interface ChunkSizes {
  /** What decoding it takes: values, and what encodings need on the way (memory of an arena, given back with the column). */
  readonly held: number;
  /** Its values as they are joined. */
  readonly plain: number;
  /** Its largest page, unpacked: the footer does not say how many it has. */
  readonly page: number;
  /** As it will be written. */
  readonly encoded: number;
}

export function decodedSizes(
  { expanded }: ProvenTable,
  { nested }: Column,
  { width, maxDefinition }: LeafWidth,
  chunk: ColumnChunk,
  rows: number,
): ChunkSizes {
  const { values, size, uncompressedSize, encodings } = chunk;
  // Values before each row, and for entries of nested columns two levels and where each row begins.
  const levels = nested ? 8 * (rows + 1) + 2 * values : maxDefinition > 0 ? 4 * (rows + 1) : 0;
  const delta = encodings.includes(Encoding.deltaBinaryPacked) ? 8 * values : 0;
  const dictionary = encodings.some(isDictionaryEncoding) ? 4 * values + uncompressedSize : 0;
  if (width > 0) {
    const plain = levels + width * values + dictionary;
    return { held: plain + delta, plain, page: uncompressedSize, encoded: size };
  }
  // Offsets of 8 bytes, the bytes behind lengths of 4, and the lengths and prefixes of a delta encoding, 8 bytes each.
  const bytes = expanded.get(chunk) ?? uncompressedSize;
  const lengths = encodings.includes(Encoding.deltaByteArray) || encodings.includes(Encoding.deltaLengthByteArray);
  const texts = bytes + (lengths ? 4 * values : 0);
  const plain = levels + 8 * (values + 1) + texts + dictionary;
  const held = plain - texts + grownSize(size, texts) + (lengths ? 16 * values : 0);
  return { held, plain, page: uncompressedSize, encoded: Math.max(size, expanded.has(chunk) ? texts : 0) };
}

/** Bytes are collected in a buffer that begins as large as the chunk and doubles; the ones before it are not given back. */
function grownSize(first: number, needed: number): number {
  let size = Math.max(1, first);
  let total = size;
  while (size < needed) {
    size = Math.max(2 * size, 1);
    total += size;
  }
  return total;
}

/**
 * The most input rows that a row group of the output draws from. Where the rows are in order, these are its rows and those
 * that no target has; a row group of the input may begin before them and end behind them.
 */
function windowRows(
  { footer, proof: { comparison } }: ProvenTable,
  partRows: number,
  groups: readonly { readonly rows: number }[],
): number {
  if (!comparison.ordered) return footer.rows;
  const surplus = footer.rows - comparison.matched;
  const longest = largest(groups.map(({ rows }) => rows));
  return Math.min(footer.rows, partRows + surplus + 2 * (longest - 1));
}

/** Those neighbouring row groups of at most `rows` rows, and at least one, that take the most memory. */
function largestWindow<Group extends { readonly rows: number; readonly size: ChunkSizes }>(
  groups: readonly Group[],
  rows: number,
): readonly Group[] {
  let best = { from: 0, to: 0, held: -1 };
  let [from, inside, held] = [0, 0, 0];
  for (const [to, group] of groups.entries()) {
    inside += group.rows;
    held += group.size.held;
    for (let first = groups[from]; inside > rows && from < to && first !== undefined; first = groups[from]) {
      inside -= first.rows;
      held -= first.size.held;
      from += 1;
    }
    if (held > best.held) best = { from, to: to + 1, held };
  }
  return groups.slice(best.from, best.to);
}

/** A page in the making: its values, one row of the match and one of the values for each row, at most, and levels. */
function pageSize({ width, boolean }: LeafWidth, partRows: number): number {
  const rows = Math.min(partRows, Math.floor(pageBytes / Math.max(4, boolean ? 1 : width)));
  return pageBytes + 2 * 8 * rows + rows;
}

/** What is collected of encoded chunks before it is written, and room for one page more; buffers grow by half. */
export function writeBufferSize({ chunk }: GatherSize): number {
  return 1.5 * (Math.min(chunk, MiB) + chunk + Math.min(2 * chunk, compressBound(pageBytes)));
}
