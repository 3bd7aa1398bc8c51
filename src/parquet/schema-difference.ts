/** Differences between the schema elements of two columns (parquet.thrift, SchemaElement; field numbers are its). */
import { isDeepStrictEqual } from "node:util";
import { formatCount, formatNumber } from "../model/units.ts";
import { physicalTypeNames } from "./column-type.ts";
import type { Column, Footer, SchemaElement } from "./footer.ts";
import { typeDefinedOrder } from "./footer-builder.ts";
import { describeLogicalType } from "./logical-type.ts";
import { ThriftReader } from "./thrift/reader.ts";
import type { ThriftStruct, ThriftValue } from "./thrift/thrift.ts";

const name = 4;
const repetition = 3;
/** Field ids are unique per file; the merge leaves them out. */
const fieldId = 9;

const repetitionNames = ["REQUIRED", "OPTIONAL", "REPEATED"] as const;

/** What each field says; fields of the future have no name here, and count as any other. */
const fieldNames: Readonly<Record<number, string>> = {
  1: "physical type",
  2: "type length",
  3: "repetition",
  4: "name",
  5: "number of children",
  6: "converted type",
  7: "scale",
  8: "precision",
  10: "logical type",
};

/**
 * How a column of the output differs from the column that it was made from: "physical type INT64 where the source has INT32".
 * Empty where it is the same but for its name. `receivesNulls`: an outermost REQUIRED element has to be OPTIONAL.
 */
export function findSchemaDifferences(from: Column, to: Column, receivesNulls: boolean): string[] {
  if (from.elements.length !== to.elements.length)
    return [
      `${formatNumber(to.elements.length, "schema element")} where the source has ${formatCount(from.elements.length)}`,
    ];
  return from.elements.flatMap((element, index) => {
    const other = to.elements[index];
    if (other === undefined) return [];
    const where = index === 0 ? "" : `${other.name}: `;
    return compareElements(element, other, index === 0, receivesNulls).map((text) => `${where}${text}`);
  });
}

/** Whether the values of a column are said to be in another order than in the source, which the statistics depend on. */
export function findOrderDifference(from: LocatedColumn, to: LocatedColumn): string[] {
  const places = Array.from({ length: from.column.leaves }, (_, index) => index);
  const same = places.every((index) => isDeepStrictEqual(orderOf(from, index) ?? typeDefinedOrder, orderOf(to, index)));
  return same ? [] : ["another column order than the source's"];
}

/** A column in its file. */
interface LocatedColumn {
  readonly footer: Footer;
  readonly column: Column;
}

function orderOf({ footer, column }: LocatedColumn, leaf: number): ThriftValue | undefined {
  return footer.columnOrders?.[column.firstLeaf + leaf];
}

function compareElements(from: SchemaElement, to: SchemaElement, outermost: boolean, receivesNulls: boolean): string[] {
  const before = fieldsOf(from, outermost);
  const after = fieldsOf(to, outermost);
  if (outermost && receivesNulls && before.get(repetition) === 0) before.set(repetition, 1);
  const ids = new Set([...before.keys(), ...after.keys()]);
  return [...ids].flatMap((id) => {
    const [source, output] = [before.get(id), after.get(id)];
    if (isDeepStrictEqual(source, output)) return [];
    const [wanted, found] = [describe(id, source), describe(id, output)];
    const label = fieldNames[id] ?? `field ${id}`;
    return [wanted === found ? `another ${label} ${found}` : `${label} ${found} where the source has ${wanted}`];
  });
}

/** The fields that the output has to keep. */
function fieldsOf({ raw }: SchemaElement, outermost: boolean): Map<number, ThriftValue> {
  const { fields } = new ThriftReader(raw).readStruct();
  const kept = fields.filter(({ id }) => id !== fieldId && !(outermost && id === name));
  return new Map(kept.map(({ id, value }) => [id, value]));
}

function describe(id: number, value: ThriftValue | undefined): string {
  if (value === undefined) return "none";
  if (typeof value === "number" && id === 1) return physicalTypeNames[value] ?? String(value);
  if (typeof value === "number" && id === repetition) return repetitionNames[value] ?? String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === "object") return "fields" in value ? describeLogicalType(value as ThriftStruct) : "a list";
  return String(value);
}
