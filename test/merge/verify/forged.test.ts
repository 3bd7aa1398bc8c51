/** Outputs that were altered together with their manifest, so that size and checksum agree: found by their sources alone. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Manifest } from "../../../src/model/result.ts";
import type { ThriftField } from "../../../src/parquet/thrift/thrift.ts";
import { crc32c } from "../../support/crc32c.ts";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere, verifyHere } from "../../support/in-process.ts";
import { bytes, flag, i64, type StoredColumn, stored, writeStored } from "../../support/parquet-file.ts";

const root = await scratchFolder("forged");
const { int32, int64, double, int96 } = stored;
const texts = (...all: (string | null)[]) => all.map((text) => (text === null ? null : Buffer.from(text)));

const statistics = (...fields: ThriftField[]) => ({ fields });
/** Field numbers of parquet.thrift, Statistics. */
const nulls = (count: number) => i64(3, count);
const bounds = (minimum: Buffer, maximum: Buffer, exact = true) => [
  bytes(5, maximum),
  bytes(6, minimum),
  flag(7, exact),
  flag(8, exact),
];

const key = (keys: readonly number[]): StoredColumn => ({ name: "interval_time", type: 2, values: keys.map(int64) });

/** Aligned: its rows are in another order, and one of the targets' is missing. */
const sourceOfA: StoredColumn[] = [
  key([3, 1, 2]),
  { name: "x", type: 1, values: [int32(30), int32(10), null] },
  { name: "s", type: 6, converted: 0, values: texts("c", "a", "") },
  { name: "d", type: 5, values: [3, 1, Number.NaN].map(double) },
  { name: "e", type: 5, values: [30, 10, 20].map(double) },
  { name: "t", type: 3, values: [int96(3n, 5_373_484), int96(1n, 5_373_484), null] },
  { name: "n", type: 7, typeLength: 2, converted: 5, precision: 4, values: [-3, 1, 2].map(decimal) },
];
/** Spliced. */
const sourceOfB: StoredColumn[] = [
  key([1, 2, 3, 4]),
  {
    name: "y",
    type: 1,
    values: [1, 2, 3, 4].map(int32),
    statistics: statistics(nulls(0), ...bounds(int32(1), int32(4))),
  },
  { name: "z", type: 1, required: true, values: [1, 2, 3, 4].map(int32) },
];

/** What the merge makes of them, in its order. */
const right = {
  interval_time: key([1, 2, 3, 4]),
  a_x: {
    name: "a_x",
    type: 1,
    values: [int32(10), null, int32(30), null],
    statistics: statistics(nulls(2), ...bounds(int32(10), int32(30))),
  },
  a_s: {
    name: "a_s",
    type: 6,
    converted: 0,
    encoding: 8,
    values: texts("a", "", "c", null),
    statistics: statistics(nulls(1), ...bounds(Buffer.from(""), Buffer.from("d"), false)),
  },
  a_d: {
    name: "a_d",
    type: 5,
    values: [double(1), double(Number.NaN), double(3), null],
    statistics: statistics(nulls(1), ...bounds(double(1), double(3))),
  },
  a_e: { name: "a_e", type: 5, values: [double(10), double(20), double(30), null] },
  a_t: {
    name: "a_t",
    type: 3,
    values: [int96(1n, 5_373_484), null, int96(3n, 5_373_484), null],
    statistics: statistics(nulls(2)),
  },
  a_n: {
    name: "a_n",
    type: 7,
    typeLength: 2,
    converted: 5,
    precision: 4,
    values: [decimal(1), decimal(2), decimal(-3), null],
    statistics: statistics(nulls(1), ...bounds(decimal(-3), decimal(2))),
  },
  b_y: { ...sourceOfB[1], name: "b_y" } as StoredColumn,
  b_z: { ...sourceOfB[2], name: "b_z" } as StoredColumn,
} satisfies Record<string, StoredColumn>;
type Name = keyof typeof right;

/** Two bytes, most significant first. */
function decimal(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

const place = mkdtempSync(join(root, "pair-"));
const folder = join(place, "in", "pair");
mkdirSync(folder, { recursive: true });
writeStored(join(folder, "targets.parquet"), [key([1, 2, 3, 4])]);
writeStored(join(folder, "a.parquet"), sourceOfA);
writeStored(join(folder, "b.parquet"), sourceOfB);
writeFileSync(join(folder, "_COMPLETE"), "");
const written = { input: join(place, "in"), output: join(place, "out") };
const merged = await mergeHere({ ...written, verify: "full" });
const manifest: Manifest = JSON.parse(readFileSync(merged.manifest, "utf8"));

/** Replaces the output, and what the manifest says of it; what a full verification then finds. */
async function forge(
  changes: Partial<Record<Name, Partial<StoredColumn>>>,
  options: { readonly orders?: boolean; readonly manifest?: (manifest: Manifest) => Manifest } = {},
): Promise<string[]> {
  const names = Object.keys(right) as Name[];
  const columns = names.map((name): StoredColumn => ({ ...right[name], ...changes[name], name }));
  writeStored(merged.output, columns, { orders: options.orders ?? true });
  const content = readFileSync(merged.output);
  const described = { ...manifest, output: { ...manifest.output, size: content.length, crc32c: crc32c(content) } };
  writeFileSync(merged.manifest, JSON.stringify(options.manifest?.(described) ?? described));
  const { problems } = await verifyHere({ ...written }, "pair", "full");
  return problems.map(({ what, found, table }) => `${table}: ${what}: ${found}`);
}

const differs = (table: string, ...found: string[]) =>
  found.map((text) => `${table}: the output differs from its source: ${text}`);

test("the same output of another writer is right: the manifest's columns, values and statistics", async () => {
  assert.equal(merged.tables.aligned, 1);
  assert.deepEqual(await forge({}), []);
});

test("statistics may be absent from aligned columns", async () => {
  const bare = { statistics: statistics() };
  assert.deepEqual(await forge({ a_x: bare, a_s: bare, a_d: bare, a_t: bare, a_n: bare }), []);
});

const optional = { required: false };
const forged: [string, Parameters<typeof forge>[0], string[]][] = [
  [
    "int32 as int64",
    { a_x: { type: 2, values: [int64(10), null, int64(30), null], statistics: statistics() } },
    differs("a", "column a_x: physical type INT64 where the source has INT32"),
  ],
  [
    "a string as binary",
    { a_s: { converted: undefined } as unknown as Partial<StoredColumn> },
    differs("a", "column a_s: converted type none where the source has 0"),
  ],
  ["an annotation", { a_x: { logical: [6] } }, differs("a", "column a_x: logical type DATE where the source has none")],
  ["another precision", { a_n: { precision: 3 } }, differs("a", "column a_n: precision 3 where the source has 4")],
  [
    "a required column that is optional, without a missing row",
    { b_z: optional },
    differs("b", "column b_z: repetition OPTIONAL where the source has REQUIRED"),
  ],
  [
    "a value",
    { a_x: { values: [int32(10), null, int32(29), null], statistics: statistics() } },
    differs("a", "column a_x: 1 value differs from the source"),
  ],
  [
    "the sign of a zero and the bits of a NaN",
    {
      a_d: { values: [double(1), Buffer.from("010000000000f87f", "hex"), double(3), null] },
    },
    differs("a", "column a_d: 1 value differs from the source"),
  ],
  [
    "a value where the table has no row",
    { a_e: { values: [double(10), double(20), double(30), double(40)] } },
    differs("a", "column a_e: 1 value differs from the source"),
  ],
  [
    "a timestamp beyond the year 2262",
    { a_t: { values: [int96(1n, 5_373_483), null, int96(3n, 5_373_484), null] } },
    differs("a", "column a_t: 1 value differs from the source"),
  ],
  [
    "swapped columns",
    {
      a_d: { values: right.a_e.values, statistics: statistics() },
      a_e: { values: right.a_d.values },
    },
    differs("a", "column a_d: 3 values differ from the source", "column a_e: 3 values differ from the source"),
  ],
  [
    "a spliced value",
    { b_y: { values: [1, 2, 3, 5].map(int32) } },
    differs("b", "column b_y: 1 value differs from the source", "column b_y: a maximum below a value"),
  ],
  [
    "spliced values in other pages",
    { b_y: { encoding: 8 } },
    differs("b", "column b_y: other pages than the source's, which a splice copies"),
  ],
  [
    "spliced bounds that are wider",
    { b_y: { statistics: statistics(nulls(0), ...bounds(int32(0), int32(4), false)) } },
    differs("b", "column b_y: other statistics than the source's"),
  ],
  [
    "spliced bounds that are left out",
    { b_y: { statistics: statistics(nulls(0)) } },
    differs("b", "column b_y: other statistics than the source's"),
  ],
  [
    "a null count",
    { a_x: { statistics: statistics(nulls(4)) } },
    differs("a", "column a_x: a null count of 4 where there are 2"),
  ],
  [
    "a minimum above the values",
    { a_x: { statistics: statistics(nulls(2), ...bounds(int32(11), int32(30))) } },
    differs("a", "column a_x: a minimum above a value"),
  ],
  [
    "a maximum below the values",
    { a_d: { statistics: statistics(nulls(1), ...bounds(double(1), double(2.9))) } },
    differs("a", "column a_d: a maximum below a value"),
  ],
  [
    "a bound that is no number",
    { a_d: { statistics: statistics(nulls(1), ...bounds(double(Number.NaN), double(3))) } },
    differs("a", "column a_d: a minimum above a value"),
  ],
  [
    "a decimal bound in the order of bytes",
    { a_n: { statistics: statistics(nulls(1), ...bounds(decimal(1), decimal(-3))) } },
    differs("a", "column a_n: a minimum above a value", "column a_n: a maximum below a value"),
  ],
  [
    "a bound that is marked as exact",
    { a_s: { statistics: statistics(nulls(1), ...bounds(Buffer.from(""), Buffer.from("d"))) } },
    differs("a", "column a_s: a maximum that is marked as exact and is not"),
  ],
  [
    "a bound of another width",
    { a_x: { statistics: statistics(nulls(2), ...bounds(int64(10), int64(30))) } },
    differs("a", "column a_x: a minimum of another size", "column a_x: a maximum of another size"),
  ],
  [
    "bounds of a type without an order",
    { a_t: { statistics: statistics(nulls(2), ...bounds(int96(1n, 5_373_484), int96(3n, 5_373_484))) } },
    differs("a", "column a_t: bounds of a type without an order"),
  ],
  [
    "deprecated bounds",
    { a_x: { statistics: statistics(bytes(1, int32(99)), bytes(2, int32(98)), nulls(2)) } },
    differs(
      "a",
      "column a_x: field 1 of the statistics, which the merge does not write",
      "column a_x: field 2 of the statistics, which the merge does not write",
    ),
  ],
  [
    "the key",
    { interval_time: { values: [1, 2, 3, 5].map(int64) } },
    [
      ...differs("targets", "column interval_time: 1 value differs from the source"),
      ...differs("b", ...["b_y", "b_z"].map((name) => `column ${name}: 1 value differs from the source`)),
    ],
  ],
];

for (const [name, changes, expected] of forged)
  test(`${name}: found though the manifest agrees`, async () => {
    assert.deepEqual(await forge(changes), expected);
  });

test("a footer without column orders: found, as readers would not trust its bounds, or trust them wrongly", async () => {
  const found = await forge({}, { orders: false });
  assert.equal(found.length, Object.keys(right).length);
  for (const text of found) assert.match(text, /another column order than the source's$/);
});

test("a manifest that says another column was the source: found", async () => {
  const swap = (column: { input: string; output: string }) =>
    ({ a_d: { ...column, input: "e" }, a_e: { ...column, input: "d" } })[column.output] ?? column;
  const found = await forge(
    {},
    {
      manifest: (described) => ({
        ...described,
        inputs: described.inputs.map((input) => ({ ...input, columns: input.columns.map(swap) })),
      }),
    },
  );
  assert.deepEqual(
    found,
    differs("a", "column a_d: 3 values differ from the source", "column a_e: 3 values differ from the source"),
  );
});

test("sample compares the types of all columns", async () => {
  await forge({ a_x: { logical: [6] }, a_s: { logical: [1] }, a_n: { precision: 3 } });
  const { problems } = await verifyHere({ ...written }, "pair", "sample");
  assert.equal(problems.length, 3, dirname(merged.output));
});
