import type { ColumnChunk } from "./footer.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { field, type ThriftStruct } from "./thrift/thrift.ts";

/** A chunk's entry in the footer with all its fields, and its ColumnMetaData (parquet.thrift, ColumnChunk, field 3). */
export function readMetadata({ raw }: Pick<ColumnChunk, "raw">): {
  readonly entry: ThriftStruct;
  readonly meta: ThriftStruct;
} {
  const entry = new ThriftReader(raw).readStruct();
  const meta = field(entry, 3);
  if (typeof meta !== "object" || !("fields" in meta)) throw new Error("a column chunk without metadata");
  return { entry, meta };
}
