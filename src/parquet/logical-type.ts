import type { ThriftStruct } from "./thrift/thrift.ts";

/** Members of the union LogicalType, by field number (parquet.thrift). */
const names: Readonly<Record<number, string>> = {
  1: "STRING",
  2: "MAP",
  3: "LIST",
  4: "ENUM",
  5: "DECIMAL",
  6: "DATE",
  7: "TIME",
  8: "TIMESTAMP",
  10: "INTEGER",
  11: "UNKNOWN",
  12: "JSON",
  13: "BSON",
  14: "UUID",
  15: "FLOAT16",
  16: "VARIANT",
  17: "GEOMETRY",
  18: "GEOGRAPHY",
};

/** The name of a logical type; its number where this program has no name for it. */
export function describeLogicalType({ fields }: ThriftStruct): string {
  const id = fields[0]?.id;
  return id === undefined ? "none" : (names[id] ?? `logical type ${id}`);
}
