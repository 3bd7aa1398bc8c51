import type { Column, SchemaElement } from "../footer.ts";
import { ThriftReader } from "../thrift/reader.ts";
import { field } from "../thrift/thrift.ts";

/** Physical types (parquet.thrift, enum Type). */
export const PhysicalType = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  byteArray: 6,
  fixedLengthByteArray: 7,
} as const;

/** What decides how the pages of a leaf column are read. */
export interface LeafShape {
  readonly element: SchemaElement;
  /** Names from the column down, as they are stored: they need not be UTF-8. */
  readonly path: readonly Uint8Array[];
  /** Bytes of a value in memory, 1 for booleans, 0 for byte arrays of any length. */
  readonly width: number;
  readonly boolean: boolean;
  /** INT32 or INT64. */
  readonly integer: boolean;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

const widths: Readonly<Record<number, number>> = { 0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8, 6: 0 };

/** The leaves of a column in the schema's order (nested columns: LogicalTypes.md, "Nested Types"; Dremel levels). */
export function leavesOf(column: Column): LeafShape[] {
  const leaves: LeafShape[] = [];
  walk(column.elements, 0, { definition: 0, repetition: 0, path: [] }, leaves);
  return leaves;
}

interface Level {
  readonly definition: number;
  readonly repetition: number;
  readonly path: readonly Uint8Array[];
}

function walk(elements: readonly SchemaElement[], at: number, above: Level, leaves: LeafShape[]): number {
  const element = elements[at];
  if (element === undefined) throw new Error("a schema without an element");
  const level = {
    definition: above.definition + (element.repetition === 0 ? 0 : 1),
    repetition: above.repetition + (element.repetition === 2 ? 1 : 0),
    path: [...above.path, nameOf(element)],
  };
  if (element.type !== undefined) {
    leaves.push(toShape(element, level));
    return at + 1;
  }
  let next = at + 1;
  for (let child = 0; child < element.children; child += 1) next = walk(elements, next, level, leaves);
  return next;
}

/** SchemaElement.name, as it is stored. */
function nameOf(element: SchemaElement): Uint8Array {
  const name = field(new ThriftReader(element.raw).readStruct(), 4);
  return name instanceof Uint8Array ? name : Buffer.from(element.name);
}

/** Bytes of a value in memory, 1 for booleans, 0 for byte arrays of any length. */
export function valueWidth({ type = -1, typeLength }: SchemaElement): number {
  return type === PhysicalType.fixedLengthByteArray ? typeLength : (widths[type] ?? 0);
}

function toShape(element: SchemaElement, { definition, repetition, path }: Level): LeafShape {
  const { type } = element;
  return {
    element,
    path,
    width: valueWidth(element),
    boolean: type === PhysicalType.boolean,
    integer: type === PhysicalType.int32 || type === PhysicalType.int64,
    maxDefinition: definition,
    maxRepetition: repetition,
  };
}

/** The shape without its parts of the footer: a thread that it is sent to would get a copy of the whole footer with each. */
export function withoutFooter(shape: LeafShape): LeafShape {
  return { ...shape, path: [], element: { ...shape.element, raw: new Uint8Array() } };
}
