/** Values and annotations that no frame and no library of this process can hold: untouched, spliced or aligned. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere, verifyHere } from "../../support/in-process.ts";
import {
  bytes,
  flag,
  type StoredColumn,
  type StoredGroup,
  stored,
  struct,
  union,
  writeStored,
} from "../../support/parquet-file.ts";
import { annotationsOf, readStored } from "../../support/stored-file.ts";

const root = await scratchFolder("untouched");
const { int32, int64, int96, double } = stored;
const hex = (text: string) => Buffer.from(text, "hex");
const texts = (...all: (string | null)[]) => all.map((text) => (text === null ? null : Buffer.from(text)));

/** Julian days of 9999-12-31 and 0001-01-01. */
const [lastDay, firstDay] = [5_373_484, 1_721_426];
const dayOfMicroseconds = 86_400_000_000;
const geometry = [bytes(1, Buffer.from("OGC:CRS84"))];
const time = (unit: number, utc: boolean) => [flag(1, utc), struct(2, union(unit))];

/** Four rows of each column; the second row is null where the column allows it. */
const columns: readonly (StoredColumn | StoredGroup)[] = [
  {
    name: "int96",
    type: 3,
    values: [int96(0n, lastDay), null, int96(1n, firstDay), int96(90_000_000_000_000n, 2_440_588)],
  },
  {
    name: "time_us",
    type: 2,
    logical: [7, time(2, false)],
    values: [int64(dayOfMicroseconds), null, int64(2 * dayOfMicroseconds), int64(-1)],
  },
  { name: "time_millis", type: 1, converted: 7, values: [int32(86_400_000), null, int32(-5), int32(0)] },
  { name: "timestamp_millis", type: 2, converted: 9, values: [int64(0), null, int64(2n ** 62n), int64(-1)] },
  { name: "timestamp_micros", type: 2, converted: 10, values: [int64(0), null, int64(1), int64(-(2n ** 63n))] },
  { name: "timestamp_ns", type: 2, logical: [8, time(3, true)], values: [int64(0), null, int64(1), int64(2)] },
  { name: "json", type: 6, converted: 19, values: texts("{}", null, '{"a":1}', "[]") },
  { name: "json_logical", type: 6, logical: [12], values: texts("{}", null, '{"a":1}', "[]") },
  { name: "enum", type: 6, converted: 4, values: texts("A", null, "B", "A"), encoding: 8 },
  { name: "bson", type: 6, converted: 20, values: [hex("0500000000"), null, hex("00"), hex("")] },
  {
    name: "uuid",
    type: 7,
    typeLength: 16,
    logical: [14],
    values: [hex("00".repeat(16)), null, hex("ff".repeat(16)), hex("01".repeat(16))],
  },
  { name: "float16", type: 7, typeLength: 2, logical: [15], values: [hex("003c"), null, hex("007e"), hex("0080")] },
  {
    name: "interval",
    type: 7,
    typeLength: 12,
    converted: 21,
    values: [hex("01".repeat(12)), null, hex("02".repeat(12)), hex("00".repeat(12))],
  },
  { name: "decimal9", type: 1, converted: 5, scale: 2, precision: 9, values: [int32(-1), null, int32(5), int32(0)] },
  { name: "decimal18", type: 2, converted: 5, scale: 4, precision: 18, values: [int64(-1), null, int64(5), int64(0)] },
  {
    name: "decimal38",
    type: 7,
    typeLength: 16,
    converted: 5,
    scale: 0,
    precision: 38,
    values: [hex("ff".repeat(16)), null, hex("7f".repeat(16)), hex("80".repeat(16))],
  },
  {
    name: "decimal60",
    type: 6,
    converted: 5,
    scale: 1,
    precision: 60,
    values: [hex("ff"), null, hex("7fffffffffffffffffffffffffffffffffffffffff"), hex("80")],
  },
  { name: "unsigned", type: 2, converted: 14, values: [int64(2n ** 64n - 1n), null, int64(2n ** 63n), int64(0)] },
  { name: "geometry", type: 6, logical: [17, geometry], values: [hex("0101"), null, hex("ff00"), hex("")] },
  { name: "geography", type: 6, logical: [18, geometry], values: [hex("0101"), null, hex("ff00"), hex("")] },
  {
    name: "variant",
    logical: [16],
    children: [
      { name: "metadata", type: 6, values: [hex("0100"), null, hex("0100"), hex("")] },
      { name: "value", type: 6, values: [hex("0c01"), null, hex("ff"), hex("00")] },
    ],
  },
  { name: "future", type: 6, logical: [77], values: [hex("ff01"), null, hex("02"), hex("")] },
  { name: "nothing", type: 1, logical: [11], values: [null, null, null, null] },
  { name: "latin1", type: 6, converted: 0, values: [hex("fc"), null, hex("fce9"), hex("c328")] },
  { name: "bits", type: 5, values: [double(-0), null, hex("010000000000f87f"), hex("000000000000f8ff")] },
  { name: "required", type: 5, required: true, values: [double(-0), double(0), hex("010000000000f87f"), double(1)] },
];

const keyOf = (values: readonly number[]): StoredColumn => ({
  name: "interval_time",
  type: 2,
  values: values.map(int64),
});

/** A checkpoint of targets with the keys 1 to 4, and a table with these keys. */
function writePair(keys: readonly number[]): { input: string; output: string } {
  const place = mkdtempSync(join(root, "case-"));
  const folder = join(place, "in", "pair");
  mkdirSync(folder, { recursive: true });
  writeStored(join(folder, "targets.parquet"), [keyOf([1, 2, 3, 4])]);
  writeStored(join(folder, "a.parquet"), [keyOf(keys), ...columns]);
  writeFileSync(join(folder, "_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}

const cases: [string, number[], { aligned: number; repetition: number }][] = [
  ["spliced", [1, 2, 3, 4], { aligned: 0, repetition: 0 }],
  ["aligned, all rows there", [4, 3, 2, 1], { aligned: 1, repetition: 0 }],
  ["aligned, rows missing and surplus", [3, 9, 1, 7], { aligned: 1, repetition: 1 }],
];

for (const [name, keys, expected] of cases)
  test(`every stored value and every annotation stays: ${name}`, async () => {
    const written = writePair(keys);
    const { output, tables } = await mergeHere({ ...written, verify: "full" });
    assert.equal(tables.aligned, expected.aligned);
    assert.deepEqual((await verifyHere({ ...written }, "pair", "full")).problems, []);
    const source = await readStored(join(written.input, "pair", "a.parquet"));
    const found = await readStored(output);
    for (const column of columns) {
      const label = String(column.name);
      const [before, after] = [source.get(label), found.get(`a_${label}`)];
      assert.ok(before && after, label);
      const wanted = before.leaves.map((leaf) => [1, 2, 3, 4].map((key) => leaf[keys.indexOf(key)] ?? null));
      assert.deepEqual(after.leaves, wanted, label);
      assert.deepEqual(after.elements.map(annotationsOf), before.elements.map(annotationsOf), label);
      const outermost = label === "required" ? expected.repetition : 1;
      assert.equal(after.elements[0]?.repetition, outermost, label);
    }
  });
