import type { Leaf } from "./decode.ts";
import { missing, type RowPart, RunCursor } from "./rows.ts";
import type { Values } from "./values.ts";

/** Uncompressed bytes of a page, about: large enough to be worth a header, small enough to be read as a whole. */
export const pageBytes = 1 << 20;
/** Pages of values that take next to nothing are cut by rows. */
const pageRows = 1 << 20;

/** Rows of each page of a chunk: about 1 MiB of values, whole rows. `base`: the input row that the leaf begins with. */
export function cutPages(leaf: Leaf, part: RowPart, base: number): number[] {
  if (leaf.entries === undefined && leaf.values.kind !== "binary") return cutEvenly(part.rows, widthOf(leaf.values));
  const cutter = new PageCutter(leaf);
  const cursor = new RunCursor(part);
  for (let left = part.rows; left > 0; left -= cursor.length) {
    cursor.next(left);
    if (cursor.source === missing) cutter.addNulls(cursor.length);
    else cutter.addRows(cursor.source - base, cursor.source - base + cursor.length);
  }
  return cutter.finish();
}

/** Fills pages row by row, where rows differ in size. */
class PageCutter {
  readonly #leaf: Leaf;
  readonly #pages: number[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(leaf: Leaf) {
    this.#leaf = leaf;
  }

  addNulls(rows: number): void {
    for (let left = rows; left > 0; ) {
      const taken = Math.min(left, pageRows - this.#rows);
      this.#add(taken, taken);
      left -= taken;
    }
  }

  addRows(from: number, end: number): void {
    for (let row = from; row < end; ) {
      const room = Math.min(end, row + pageRows - this.#rows);
      const fitting = fit(this.#leaf, row, room, pageBytes - this.#bytes);
      // A row that is larger than a page has one of its own.
      const taken = fitting === 0 && this.#rows === 0 ? 1 : fitting;
      if (taken === 0) this.#close();
      else this.#add(taken, bytesBetween(this.#leaf, row, row + taken));
      row += taken;
    }
  }

  finish(): number[] {
    this.#close();
    return this.#pages;
  }

  #add(rows: number, bytes: number): void {
    this.#rows += rows;
    this.#bytes += bytes;
    if (this.#bytes >= pageBytes || this.#rows >= pageRows) this.#close();
  }

  #close(): void {
    if (this.#rows > 0) this.#pages.push(this.#rows);
    this.#rows = 0;
    this.#bytes = 0;
  }
}

function cutEvenly(rows: number, width: number): number[] {
  const size = Math.min(pageRows, Math.max(1, Math.floor(pageBytes / width)));
  const pages = Array.from({ length: Math.floor(rows / size) }, () => size);
  return rows % size === 0 ? pages : [...pages, rows % size];
}

/** Bytes of a value in a page, about. */
function widthOf(values: Values): number {
  if (values.kind === "fixed") return values.width;
  return values.kind === "indexed" ? 4 : 8;
}

/** Most rows from `from` on, to `end` at the latest, that take no more than `bytes`. */
function fit(leaf: Leaf, from: number, end: number, bytes: number): number {
  if (bytesBetween(leaf, from, end) <= bytes) return end - from;
  let [low, high] = [from, end];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (bytesBetween(leaf, from, middle) <= bytes) low = middle;
    else high = middle - 1;
  }
  return low - from;
}

function bytesBetween({ positions, values, entries }: Leaf, from: number, end: number): number {
  const first = positions === undefined ? from : (positions[from] ?? 0);
  const last = positions === undefined ? end : (positions[end] ?? 0);
  const levels = entries === undefined ? 0 : (entries.starts[end] ?? 0) - (entries.starts[from] ?? 0);
  if (values.kind !== "binary") return levels + (last - first) * widthOf(values);
  return levels + (values.offsets[last] ?? 0) - (values.offsets[first] ?? 0);
}
