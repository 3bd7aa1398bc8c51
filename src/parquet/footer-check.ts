import { isUtf8 } from "node:buffer";
import { formatCount, formatNumber } from "../model/units.ts";
import { type Column, type ColumnChunk, type Footer, magic, type RowGroup } from "./footer.ts";
import { showBytes } from "./show-bytes.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { field } from "./thrift/thrift.ts";

/**
 * Contradictions in a footer whose data ends at byte `dataEnd`: counts that disagree, chunks outside of the data or
 * overlapping ones. Empty when it is consistent.
 */
export function checkFooter(footer: Footer, dataEnd: number): string[] {
  const rows = footer.rowGroups.reduce((sum, group) => sum + group.rows, 0);
  const counts =
    rows === footer.rows
      ? []
      : [`${formatNumber(footer.rows, "row")} stated, its row groups hold ${formatCount(rows)}`];
  const groups = footer.rowGroups.flatMap((group, index) => checkRowGroup(footer, group, index, dataEnd));
  return [...counts, ...groups, ...checkOverlap(footer)];
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
            found: `encrypted columns ${encrypted.join(", ") || "(all)"}`,
            fix: "decrypt the file first: encrypted pages cannot be merged",
          },
        ]
      : []),
    ...(elsewhere.length > 0
      ? [
          {
            found: `columns whose pages lie in another file: ${elsewhere.join(", ")}`,
            fix: "extract this table again, into one file",
          },
        ]
      : []),
    ...(unnamed.length > 0
      ? [
          {
            found: `names of columns that are not UTF-8: ${unnamed.join(", ")}`,
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

function checkRowGroup(footer: Footer, group: RowGroup, index: number, dataEnd: number): string[] {
  const leaves = footer.columns.flatMap((column) => Array.from({ length: column.leaves }, () => column));
  if (group.chunks.length !== leaves.length)
    return [
      `row group ${index} has ${formatNumber(group.chunks.length, "column chunk")} for ${formatNumber(leaves.length, "column")}`,
    ];
  // Writers state arbitrary offsets for pages without rows; nothing reads them.
  if (group.rows === 0) return [];
  return group.chunks.flatMap((chunk, leaf) => {
    const name = `column ${chunk.path.join(".") || leaf} of row group ${index}`;
    const column = leaves[leaf];
    const element = column?.elements.filter(({ type }) => type !== undefined)[leaf - column.firstLeaf];
    const flatRows = column?.nested === false && chunk.values !== group.rows;
    return [
      ...(chunk.start < magic.length || chunk.size < 0 || chunk.start + chunk.size > dataEnd
        ? [`${name} at bytes ${chunk.start}–${chunk.start + chunk.size}, outside the data (4–${dataEnd})`]
        : []),
      ...(flatRows
        ? [`${name} with ${formatNumber(chunk.values, "value")} for ${formatNumber(group.rows, "row")}`]
        : []),
      ...(column !== undefined && chunk.path[0] !== column.name ? [`${name} where the schema has ${column.name}`] : []),
      ...(element !== undefined && chunk.type !== element.type
        ? [`${name} of physical type ${chunk.type} where the schema has ${element.type}`]
        : []),
    ];
  });
}

function checkOverlap(footer: Footer): string[] {
  const chunks: ColumnChunk[] = footer.rowGroups
    .filter((group) => group.rows > 0)
    .flatMap((group) => group.chunks)
    .filter((chunk) => chunk.size > 0);
  chunks.sort((left, right) => left.start - right.start);
  return chunks.flatMap((chunk, index) => {
    const before = chunks[index - 1];
    if (before === undefined || before.start + before.size <= chunk.start) return [];
    return [`columns ${before.path.join(".")} and ${chunk.path.join(".")} share bytes from ${chunk.start}`];
  });
}
