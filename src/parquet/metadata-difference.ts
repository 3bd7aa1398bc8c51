/** Differences between the metadata of a chunk and of its copy in another file (parquet.thrift, ColumnMetaData; field numbers are its). */
import { isDeepStrictEqual } from "node:util";
import { readMetadata } from "./chunk-metadata.ts";
import type { ColumnChunk } from "./footer.ts";
import type { ThriftValue } from "./thrift/thrift.ts";

const path = 3;
const statistics = 12;
/** Offsets of data, index and dictionary pages, which move with the chunk. */
const offsets: readonly number[] = [9, 10, 11];
/** The bloom filter lies outside of the chunk: it is not copied. */
const leftOut: readonly number[] = [14, 15];

/** What each field says; fields of the future have no name here, and count as any other. */
const fieldNames: Readonly<Record<number, string>> = {
  1: "physical type",
  2: "encodings",
  3: "path",
  4: "codec",
  5: "number of values",
  6: "uncompressed size",
  7: "compressed size",
  8: "key-value metadata",
  9: "offset of the data pages",
  10: "offset of the index pages",
  11: "offset of the dictionary page",
  12: "statistics",
  13: "encoding statistics",
  16: "size statistics",
  17: "geospatial statistics",
};

/**
 * What a copied chunk says otherwise than its source, by name: empty where only its place and its column's name differ.
 * `ordered`: whether the source states an order for the column; without one its statistics are not copied.
 */
export function findMetadataDifferences(from: ColumnChunk, to: ColumnChunk, ordered: boolean): string[] {
  const before = fieldsOf(from);
  if (!ordered) before.delete(statistics);
  const after = fieldsOf(to);
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  return ids
    .filter((id) => !isDeepStrictEqual(before.get(id), after.get(id)))
    .map((id) => fieldNames[id] ?? `field ${id}`);
}

/** The fields that a copy keeps; offsets from the start of the chunk. */
function fieldsOf(chunk: ColumnChunk): Map<number, ThriftValue> {
  const kept = new Map<number, ThriftValue>();
  for (const { id, value } of readMetadata(chunk).meta.fields) {
    if (leftOut.includes(id)) continue;
    if (id === path) kept.set(id, withoutFirst(value));
    else if (!offsets.includes(id)) kept.set(id, value);
    // Some writers state an offset of 0 for a page that does not exist.
    else if (value !== 0n) kept.set(id, typeof value === "bigint" ? value - BigInt(chunk.start) : value);
  }
  return kept;
}

/** A path without the name of the column. */
function withoutFirst(value: ThriftValue): ThriftValue {
  return typeof value === "object" && "items" in value ? { ...value, items: value.items.slice(1) } : value;
}
