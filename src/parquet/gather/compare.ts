import { Arena } from "../arena.ts";
import type { Column, ColumnChunk, Footer } from "../footer.ts";
import { type DecodeMemory, decodeChunk, type Leaf } from "./decode.ts";
import { joinLeaves } from "./join-leaves.ts";
import { missing, type RowRuns } from "./rows.ts";
import { type LeafShape, leavesOf } from "./shape.ts";
import { lookUp, type PlainValues } from "./values.ts";

/** A column of a file, and its encoded chunks. */
export interface ColumnSource {
  readonly footer: Footer;
  readonly column: Column;
  readonly bytesOf: (chunk: ColumnChunk) => Uint8Array;
}

/** A leaf whose values are plain. */
export interface PlainLeaf extends Leaf {
  readonly values: PlainValues;
}

/** A leaf of one row group, decoded. */
export interface DecodedChunk {
  readonly chunk: ColumnChunk;
  /** Index of the leaf in the footer. */
  readonly index: number;
  readonly leaf: Leaf;
}

/** Decodes columns one after the other, in the same memory: what it returned before is then overwritten. */
export class ColumnDecoder {
  readonly #memory: DecodeMemory = { column: new Arena(), page: new Arena() };

  /**
   * The leaves of a column over all rows. Memory: the decoded column, twice where it has several row groups.
   * @throws PageError when a page is damaged.
   */
  decode(source: ColumnSource): PlainLeaf[] {
    this.#memory.column.reset();
    return leavesOf(source.column).map((shape, index) => {
      const leaves = chunksOfLeaf(source, index).map(({ chunk, rows }) => this.#decode(source, shape, chunk, rows));
      if (leaves.length === 0) leaves.push(this.#decode(source, shape, undefined, 0));
      return toPlain(joinLeaves(leaves, this.#memory.column), this.#memory.column);
    });
  }

  /**
   * Decodes the chunks of a column one after the other; each is overwritten by the next.
   * @throws PageError when a page is damaged.
   */
  mapChunks<Result>(source: ColumnSource, use: (decoded: DecodedChunk) => Result): Result[] {
    return leavesOf(source.column).flatMap((shape, leafIndex) =>
      chunksOfLeaf(source, leafIndex).map(({ chunk, rows }) => {
        this.#memory.column.reset();
        const leaf = this.#decode(source, shape, chunk, rows);
        return use({ chunk, index: source.column.firstLeaf + leafIndex, leaf });
      }),
    );
  }

  /**
   * Decodes every chunk of a column, and keeps nothing.
   * @throws PageError when a page is damaged.
   */
  check(source: ColumnSource): void {
    for (const [index, shape] of leavesOf(source.column).entries())
      for (const { chunk, rows } of chunksOfLeaf(source, index)) {
        this.#memory.column.reset();
        this.#decode(source, shape, chunk, rows);
      }
  }

  #decode({ column, bytesOf }: ColumnSource, shape: LeafShape, chunk: ColumnChunk | undefined, rows: number): Leaf {
    const { codec = 0, values = 0 } = chunk ?? {};
    const bytes = chunk === undefined ? new Uint8Array() : bytesOf(chunk);
    return decodeChunk({ bytes, codec, values, rows }, shape, column.nested, this.#memory);
  }
}

function chunksOfLeaf({ footer, column }: ColumnSource, leaf: number): { chunk: ColumnChunk; rows: number }[] {
  return footer.rowGroups
    .filter(({ rows }) => rows > 0)
    .map(({ chunks, rows }) => {
      const chunk = chunks[column.firstLeaf + leaf];
      if (chunk === undefined) throw new Error(`no chunk of ${column.name}`);
      return { chunk, rows };
    });
}

function toPlain(leaf: Leaf, arena: Arena): PlainLeaf {
  return { ...leaf, values: leaf.values.kind === "indexed" ? lookUp(leaf.values, arena) : leaf.values };
}

/**
 * Counts the rows of an output column that are not what `runs` says: the levels and the stored bytes of the source's row, or
 * null. The leaves are those of the column in the source and in the output.
 */
export function countOtherRows(source: readonly PlainLeaf[], output: readonly PlainLeaf[], runs: RowRuns): number {
  if (source.length !== output.length) return runs.rows;
  let differences = 0;
  for (const [index, leaf] of source.entries()) {
    const other = output[index];
    differences = Math.max(differences, other === undefined ? runs.rows : countOthers(leaf, other, runs));
  }
  return differences;
}

function countOthers(source: PlainLeaf, output: PlainLeaf, { rows, pairs }: RowRuns): number {
  if (output.rows !== rows) return Math.max(rows, output.rows);
  let differences = 0;
  let row = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    const [first = missing, length = 0] = [pairs[at], pairs[at + 1]];
    for (let index = 0; index < length; index += 1) {
      const same = first === missing ? isNull(output, row) : sameRow(source, first + index, output, row);
      if (!same) differences += 1;
      row += 1;
    }
  }
  return differences;
}

/** No value, and for nested columns one entry that says so at the outermost level. */
function isNull({ positions, entries }: PlainLeaf, row: number): boolean {
  if (positions === undefined || positions[row] !== positions[row + 1]) return false;
  if (entries === undefined) return true;
  const start = entries.starts[row] ?? 0;
  return entries.starts[row + 1] === start + 1 && entries.definition[start] === 0;
}

function sameRow(source: PlainLeaf, from: number, output: PlainLeaf, to: number): boolean {
  const [first, end] = valuesOf(source, from);
  const [otherFirst, otherEnd] = valuesOf(output, to);
  if (end - first !== otherEnd - otherFirst || !sameLevels(source, from, output, to)) return false;
  for (let index = 0; index < end - first; index += 1)
    if (!sameBytes(source.values, first + index, output.values, otherFirst + index)) return false;
  return true;
}

function valuesOf({ positions }: PlainLeaf, row: number): [first: number, end: number] {
  return positions === undefined ? [row, row + 1] : [positions[row] ?? 0, positions[row + 1] ?? 0];
}

function sameLevels(source: PlainLeaf, from: number, output: PlainLeaf, to: number): boolean {
  const [left, right] = [source.entries, output.entries];
  if (left === undefined || right === undefined) return left === right;
  const deeper = output.shape.maxDefinition - source.shape.maxDefinition;
  const start = left.starts[from] ?? 0;
  const other = right.starts[to] ?? 0;
  const count = (left.starts[from + 1] ?? 0) - start;
  if ((right.starts[to + 1] ?? 0) - other !== count) return false;
  for (let index = 0; index < count; index += 1) {
    if (left.repetition?.[start + index] !== right.repetition?.[other + index]) return false;
    if ((left.definition[start + index] ?? 0) + deeper !== right.definition[other + index]) return false;
  }
  return true;
}

function sameBytes(left: PlainValues, at: number, right: PlainValues, other: number): boolean {
  const [from, end] = boundsOf(left, at);
  const [otherFrom, otherEnd] = boundsOf(right, other);
  if (end - from !== otherEnd - otherFrom) return false;
  for (let index = 0; index < end - from; index += 1)
    if (left.bytes[from + index] !== right.bytes[otherFrom + index]) return false;
  return true;
}

function boundsOf(values: PlainValues, index: number): [from: number, end: number] {
  if (values.kind === "fixed") return [index * values.width, (index + 1) * values.width];
  return [values.offsets[index] ?? 0, values.offsets[index + 1] ?? 0];
}
