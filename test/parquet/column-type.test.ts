import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { canBeAligned, decodedSize, describeType, encodedSize } from "../../src/parquet/column-type.ts";
import type { Column, SchemaElement } from "../../src/parquet/footer.ts";
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

const expected: Record<keyof typeof expressions, readonly [type: string, aligned: boolean]> = {
  flag: ["BOOLEAN", true],
  small: ["INT32", true],
  number: ["INT64", true],
  single: ["FLOAT", true],
  double: ["DOUBLE", true],
  text: ["BYTE_ARRAY", true],
  blob: ["BYTE_ARRAY", true],
  day: ["INT32", true],
  clock: ["INT64", true],
  instant: ["INT64", true],
  money9: ["INT32", true],
  money38: ["FIXED_LEN_BYTE_ARRAY(16)", true],
  uuid: ["FIXED_LEN_BYTE_ARRAY(16)", false],
  span: ["FIXED_LEN_BYTE_ARRAY(12)", false],
  list: ["nested", false],
  pair: ["nested", false],
  map: ["nested", false],
};

for (const column of footer.columns) {
  const [type, aligned] = expected[column.name as keyof typeof expressions];
  test(`${column.name} is ${type}, ${aligned ? "can be aligned" : "can only be spliced"}`, () => {
    assert.equal(describeType(column), type);
    assert.equal(canBeAligned(column), aligned);
  });
}

function flat(element: Partial<SchemaElement>): Column {
  const [sample] = footer.columns[0]?.elements ?? [];
  assert.ok(sample);
  const own: SchemaElement = { ...sample, convertedType: undefined, logicalType: undefined, ...element };
  return { name: "x", elements: [own], firstLeaf: 0, leaves: 1, nested: false };
}

const logicalDecimal = { fields: [{ id: 5, type: ThriftType.struct, value: { fields: [] } }] };
const cases: [string, Column, string, boolean][] = [
  ["int96", flat({ type: 3 }), "INT96", true],
  [
    "a decimal of 39 digits",
    flat({ type: 7, typeLength: 17, convertedType: 5, precision: 39 }),
    "FIXED_LEN_BYTE_ARRAY(17)",
    false,
  ],
  ["a decimal in plain bytes", flat({ type: 6, convertedType: 5, precision: 20 }), "BYTE_ARRAY", true],
  [
    "a decimal by logical type alone",
    flat({ type: 7, typeLength: 9, logicalType: logicalDecimal, precision: 20 }),
    "FIXED_LEN_BYTE_ARRAY(9)",
    true,
  ],
  ["half precision", flat({ type: 7, typeLength: 2 }), "FIXED_LEN_BYTE_ARRAY(2)", false],
  ["a repeated column", { ...flat({ type: 1, repetition: 2 }), nested: true }, "nested", false],
  ["a type of the future", flat({ type: 42 }), "type 42", false],
];

for (const [name, column, type, aligned] of cases) {
  test(`${name}: ${type}, ${aligned ? "can be aligned" : "can only be spliced"}`, () => {
    assert.equal(describeType(column), type);
    assert.equal(canBeAligned(column), aligned);
  });
}

test("sizes: encoded as the chunks say, decoded at least what the values take", () => {
  const bytes: Partial<Record<string, number>> = { flag: 13, number: 800, double: 800, text: 100 * 16, money38: 1600 };
  for (const column of footer.columns) {
    const chunk = footer.rowGroups[0]?.chunks[column.firstLeaf];
    if (!column.nested) assert.equal(encodedSize(footer, column), chunk?.size);
    assert.ok(decodedSize(footer, column) >= (bytes[column.name] ?? 0), column.name);
  }
});
