import { isUtf8 } from "node:buffer";
import { formatCount, formatNumber, listNames } from "../model/units.ts";
import { type Column, type ColumnChunk, type Footer, magic, type RowGroup } from "./footer.ts";
import { showBytes } from "./show-bytes.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { field } from "./thrift/thrift.ts";

/**
 * Contradictions in a footer whose data ends at byte `dataEnd`: counts that disagree, chunks outside of the data or
 * overlapping ones. Empty when it is consistent. One at a time: a crafted footer has millions.
 */
export function* checkFooter(footer: Footer, dataEnd: number): Generator<string> {
  const rows = footer.rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== footer.rows)
    yield `${formatNumber(footer.rows, "row")} stated, its row groups hold ${formatCount(rows)}`;
  const leaves = footer.columns.flatMap((column) => leavesOf(column));
  for (const [index, group] of footer.rowGroups.entries()) yield* checkRowGroup(leaves, group, index, dataEnd);
  yield* checkOverlap(footer);
}

interface LeafOfColumn {
  readonly column: Column;
  readonly type: number | undefined;
}

/** The leaves of a column, in order. */
function leavesOf(column: Column): LeafOfColumn[] {
  return column.elements.flatMap(({ type }) => (type === undefined ? [] : [{ column, type }]));
}

/** A reason why the pages of a file cannot be read, and what to do. */
export interface Unreadable {
  readonly found: string;
  readonly fix: string;
}

/** Reasons why the pages of a file cannot be read at all, however consistent it is. */
export function checkReadable(footer: Footer): Unreadable[] {
  const chunks = footer.rowGroups.flatMap((group) => group.chunks);
  const encrypted = chunks.filter((chunk) => chunk.encrypted).map((chunk) => chunk.path.join("."));
  const elsewhere = chunks.filter((chunk) => chunk.elsewhere).map((chunk) => chunk.path.join("."));
  const unnamed = footer.columns.flatMap(strangeName);
  return [
    ...(footer.encrypted || encrypted.length > 0
      ? [
          {
            found: `encrypted columns ${listNames(encrypted) || "(all)"}`,
            fix: "decrypt the file first: encrypted pages cannot be merged",
          },
        ]
      : []),
    ...(elsewhere.length > 0
      ? [
          {
            found: `columns whose pages lie in another file: ${listNames(elsewhere)}`,
            fix: "extract this table again, into one file",
          },
        ]
      : []),
    ...(unnamed.length > 0
      ? [
          {
            found: `names of columns that are not UTF-8: ${listNames(unnamed)}`,
            fix: "rename these columns, and extract this table again",
          },
        ]
      : []),
  ];
}

/** The bytes of a name that is no text, as hexadecimal digits: two of them may look the same once they are decoded. */
function strangeName({ name, elements: [element] }: Column): string[] {
  if (element === undefined || !name.includes("\uFFFD")) return [];
  const stored = field(new ThriftReader(element.raw).readStruct(), 4);
  return stored instanceof Uint8Array && !isUtf8(stored) ? [showBytes(stored)] : [];
}

function* checkRowGroup(
  leaves: readonly LeafOfColumn[],
  group: RowGroup,
  index: number,
  dataEnd: number,
): Generator<string> {
  if (group.chunks.length !== leaves.length)
    return yield `row group ${index} has ${formatNumber(group.chunks.length, "column chunk")} for ${formatNumber(leaves.length, "column")}`;
  if (group.rows < 0) return yield `row group ${index} has ${formatNumber(group.rows, "row")}`;
  // Writers state arbitrary offsets for pages without rows; nothing reads them.
  if (group.rows === 0) return;
  for (const [at, leaf] of leaves.entries()) {
    const chunk = group.chunks[at];
    if (chunk === undefined) continue;
    const name = `column ${chunk.path.join(".") || at} of row group ${index}`;
    for (const problem of checkChunk(chunk, leaf, group.rows, dataEnd)) yield `${name} ${problem}`;
  }
}

function* checkChunk(
  chunk: ColumnChunk,
  { column, type }: LeafOfColumn,
  rows: number,
  dataEnd: number,
): Generator<string> {
  const end = chunk.start + chunk.size;
  if (chunk.start < magic.length || chunk.size < 0 || end > dataEnd)
    yield `at bytes ${chunk.start}–${end}, outside the data (4–${dataEnd})`;
  if (chunk.uncompressedSize < 0) yield `with ${formatNumber(chunk.uncompressedSize, "byte")} uncompressed`;
  if (column.nested ? chunk.values < rows : chunk.values !== rows)
    yield `with ${formatNumber(chunk.values, "value")} for ${formatNumber(rows, "row")}`;
  if (chunk.path[0] !== column.name) yield `where the schema has ${column.name}`;
  if (chunk.type !== type) yield `of physical type ${chunk.type} where the schema has ${type}`;
}

function* checkOverlap(footer: Footer): Generator<string> {
  const chunks: ColumnChunk[] = footer.rowGroups
    .filter((group) => group.rows > 0)
    .flatMap((group) => group.chunks)
    .filter((chunk) => chunk.size > 0);
  chunks.sort((left, right) => left.start - right.start);
  for (const [index, chunk] of chunks.entries()) {
    const before = chunks[index - 1];
    if (before !== undefined && before.start + before.size > chunk.start)
      yield `columns ${before.path.join(".")} and ${chunk.path.join(".")} share bytes from ${chunk.start}`;
  }
}
