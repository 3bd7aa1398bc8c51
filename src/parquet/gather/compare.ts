import { Arena } from "../arena.ts";
import type { Column, ColumnChunk, Footer } from "../footer.ts";
import { decodeChunk, type Leaf } from "./decode.ts";
import { joinLeaves } from "./join-leaves.ts";
import { missing, type RowRuns } from "./rows.ts";
import { leavesOf } from "./shape.ts";
import { lookUp, type PlainValues } from "./values.ts";

/** A column of a file, and how its encoded chunks are read. */
export interface ColumnSource {
  readonly footer: Footer;
  readonly column: Column;
  readonly read: (chunk: ColumnChunk) => Promise<Uint8Array>;
}

/**
 * Counts the rows of an output column that are not what `runs` says: the levels and the stored bytes of the source's row, or
 * null. Holds both columns decoded.
 * @throws PageError when a page is damaged.
 */
export async function countOtherRows(source: ColumnSource, output: ColumnSource, runs: RowRuns): Promise<number> {
  const left = await decodeLeaves(source);
  const right = await decodeLeaves(output);
  if (left.length !== right.length) return runs.rows;
  let differences = 0;
  for (const [index, leaf] of left.entries()) {
    const other = right[index];
    differences = Math.max(differences, other === undefined ? runs.rows : countOthers(leaf, other, runs));
  }
  return differences;
}

/** A leaf whose values are plain. */
interface PlainLeaf extends Leaf {
  readonly values: PlainValues;
}

async function decodeLeaves({ footer, column, read }: ColumnSource): Promise<PlainLeaf[]> {
  const groups = footer.rowGroups.filter((group) => group.rows > 0);
  const decoded: PlainLeaf[] = [];
  for (const [index, shape] of leavesOf(column).entries()) {
    const arena = new Arena();
    const page = new Arena();
    const leaves: Leaf[] = [];
    for (const group of groups) {
      const chunk = group.chunks[column.firstLeaf + index];
      if (chunk === undefined) throw new Error(`no chunk of ${column.name}`);
      const { codec, values } = chunk;
      const encoded = { bytes: await read(chunk), codec, values, rows: group.rows };
      leaves.push(decodeChunk(encoded, shape, column.nested, { column: arena, page }));
    }
    const empty = { bytes: new Uint8Array(), codec: 0, values: 0, rows: 0 };
    if (leaves.length === 0) leaves.push(decodeChunk(empty, shape, column.nested, { column: arena, page }));
    const leaf = joinLeaves(leaves, arena);
    decoded.push({ ...leaf, values: leaf.values.kind === "indexed" ? lookUp(leaf.values, arena) : leaf.values });
  }
  return decoded;
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
