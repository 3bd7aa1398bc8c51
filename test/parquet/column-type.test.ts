import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { canBeDecoded, decodedSize, encodedSize, whyNotGathered } from "../../src/parquet/column-type.ts";
import type { Column, ColumnChunk, SchemaElement } from "../../src/parquet/footer.ts";
import { ThriftType } from "../../src/parquet/thrift/thrift.ts";
import { loadFile } from "../support/bytes.ts";
import { copyTo } from "../support/duckdb.ts";
import { scratchFolder } from "../support/folder.ts";

const path = join(await scratchFolder("types"), "types.parquet");
const expressions = {
  flag: "true",
  small: "1::tinyint",
  number: "1::bigint",
  single: "1::float",
  double: "1::double",
  text: "'a'",
  blob: "'a'::blob",
  day: "date '2000-01-01'",
  clock: "time '10:00:00'",
  instant: "timestamptz '2000-01-01'",
  money9: "1::decimal(9, 2)",
  money38: "1::decimal(38, 2)",
  uuid: "uuid()",
  span: "interval 1 day",
  list: "[1]",
  pair: "{'a': 1}",
  map: "map{'a': 1}",
} as const;
const select = Object.entries(expressions).map(([name, value]) => `${value} as ${name}`);
await copyTo(path, `select ${select.join()} from range(100)`);
const { footer } = await loadFile(path);

/** Nested columns are not taken apart in Polars. */
const undecoded = new Set(["list", "pair", "map"]);

for (const column of footer.columns)
  test(`${column.name} can be gathered, and ${undecoded.has(column.name) ? "is compared as stored" : "decoded by Polars"}`, () => {
    assert.equal(whyNotGathered(footer, column), undefined);
    assert.equal(canBeDecoded(column), !undecoded.has(column.name));
  });

function flat(element: Partial<SchemaElement>): Column {
  const [sample] = footer.columns[0]?.elements ?? [];
  assert.ok(sample);
  const own: SchemaElement = { ...sample, convertedType: undefined, logicalType: undefined, ...element };
  return { name: "x", elements: [own], firstLeaf: 0, leaves: 1, nested: false };
}

const logicalDecimal = { fields: [{ id: 5, type: ThriftType.struct, value: { fields: [] } }] };
const cases: [string, Column, boolean][] = [
  ["int96", flat({ type: 3 }), false],
  ["a decimal of 39 digits", flat({ type: 7, typeLength: 17, convertedType: 5, precision: 39 }), true],
  ["a decimal in plain bytes", flat({ type: 6, convertedType: 5, precision: 20 }), true],
  [
    "a decimal by logical type alone",
    flat({ type: 7, typeLength: 9, logicalType: logicalDecimal, precision: 20 }),
    true,
  ],
  ["half precision", flat({ type: 7, typeLength: 2 }), true],
  ["a repeated column", { ...flat({ type: 1, repetition: 2 }), nested: true }, false],
];

for (const [name, column, decoded] of cases)
  test(`${name} can be gathered, and ${decoded ? "decoded by Polars" : "is compared as stored"}`, () => {
    assert.equal(whyNotGathered({ ...footer, rowGroups: [] }, column), undefined);
    assert.equal(canBeDecoded(column), decoded);
  });

test("types, encodings and codecs of the future are not gathered", () => {
  const why = (column: Column, chunk: Partial<ColumnChunk> = {}) => {
    const rowGroups = footer.rowGroups.map((group) => ({
      ...group,
      chunks: group.chunks.map((own) => ({ ...own, ...chunk })),
    }));
    return whyNotGathered({ ...footer, rowGroups }, column);
  };
  assert.equal(why(flat({ type: 42 })), "physical type 42");
  assert.equal(canBeDecoded(flat({ type: 42 })), false);
  assert.equal(why(flat({ type: 7, typeLength: 0 })), "physical type 7");
  assert.equal(why(flat({ type: 2 }), { encodings: [3, 0, 42] }), "encoding 42");
  assert.equal(why(flat({ type: 2 }), { codec: 3 }), "codec 3");
  assert.equal(why(flat({ type: 2 }), { codec: 8 }), "codec 8");
  assert.equal(why(flat({ type: 2 }), { encodings: [0, 2, 3, 4, 5, 6, 7, 8, 9], codec: 5 }), undefined);
});

test("sizes: encoded as the chunks say, decoded at least what the values take", () => {
  const bytes: Partial<Record<string, number>> = { flag: 13, number: 800, double: 800, text: 100 * 16, money38: 1600 };
  for (const column of footer.columns) {
    const chunk = footer.rowGroups[0]?.chunks[column.firstLeaf];
    if (!column.nested) assert.equal(encodedSize(footer, column), chunk?.size);
    assert.ok(decodedSize(footer, column) >= (bytes[column.name] ?? 0), column.name);
  }
});
