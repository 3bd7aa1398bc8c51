/** Keys and names that no frame can hold, in files of any writer: merged, or refused by name. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere, planHere } from "../../support/in-process.ts";
import { flag, type StoredColumn, stored, struct, union, writeStored } from "../../support/parquet-file.ts";
import { readStored } from "../../support/stored-file.ts";

const root = await scratchFolder("stored-keys");
const { int32, int64, int96, double } = stored;

/** A checkpoint of these tables. */
function writePair(tables: Readonly<Record<string, readonly StoredColumn[]>>): { input: string; output: string } {
  const place = mkdtempSync(join(root, "case-"));
  const folder = join(place, "in", "pair");
  mkdirSync(folder, { recursive: true });
  for (const [name, columns] of Object.entries(tables)) writeStored(join(folder, `${name}.parquet`), columns);
  writeFileSync(join(folder, "_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}

type Type = Omit<StoredColumn, "name" | "values">;

const instant = (unit: 1 | 2 | 3, utc: boolean): Type => ({
  type: 2,
  logical: [8, [flag(1, utc), struct(2, union(unit))]],
});
const text: Type = { type: 6, converted: 0 };
const key = (type: Type, ...values: (Buffer | null)[]): StoredColumn => ({ ...type, name: "interval_time", values });
const column = (name: string | Uint8Array, ...values: number[]): StoredColumn => ({
  name,
  type: 1,
  values: values.map(int32),
});

async function refusal(tables: Parameters<typeof writePair>[0], settings = {}): Promise<string> {
  const failure = await failureOf(mergeHere({ ...writePair(tables), ...settings }));
  assert.equal(failure.exitCode, 3);
  assert.equal(failure.problems.length, 1, failure.message);
  return failure.message;
}

const farKey = int64(2n ** 63n - 1n);

for (const [name, type, value, shown] of [
  ["timestamps out of the range of dates", instant(2, true), farKey, "9223372036854775807 us since 1970"],
  ["timestamps long before it", instant(1, false), int64(-(2n ** 63n)), "-9223372036854775808 ms since 1970"],
  ["dates out of it", { type: 1, converted: 6 }, int32(2_147_483_647), "2147483647 days since 1970"],
  ["INT96 out of it", { type: 3 }, int96(1n, 2_147_483_647), "185331720297600000000001 ns since 1970"],
  ["texts", text, Buffer.from("EURUSD"), "EURUSD"],
  ["texts that are not UTF-8", text, Buffer.from("ff00", "hex"), "0xff00"],
  ["binary values", { type: 6 }, Buffer.from("ff00", "hex"), "0xff00"],
] as const)
  test(`repeated keys: ${name} are shown, and chosen by --duplicates`, async () => {
    const tables = { targets: [key(type, value)], a: [key(type, value, value), column("x", 1, 2)] };
    assert.equal(
      await refusal(tables),
      `a: duplicate keys in interval_time: found 1 repeated row, first key ${shown}; extract the table again, or choose --duplicates first or last`,
    );
    for (const [duplicates, wanted] of [
      ["first", 1],
      ["last", 2],
    ] as const) {
      const { output } = await mergeHere({ ...writePair(tables), duplicates, verify: "full" });
      assert.deepEqual((await readStored(output)).get("a_x")?.leaves, [[int32(wanted).toString("hex")]]);
    }
  });

const unsigned: Type = { type: 2, converted: 14 };
const pairsOfTypes: [string, Type, Type, Buffer[], Buffer[]][] = [
  // A table's keys, of which the targets' type can write the first two; the targets have them in the other order.
  ["UInt64 of Int64", { type: 2 }, unsigned, [int64(1), int64(7), int64(2n ** 63n)], [int64(7), int64(1)]],
  ["Int64 of UInt64", unsigned, { type: 2 }, [int64(1), int64(7), int64(-1)], [int64(7), int64(1)]],
  [
    "nanoseconds of milliseconds",
    instant(1, true),
    instant(3, true),
    [int64(1_000_000), int64(0), int64(1)],
    [int64(0), int64(1)],
  ],
  [
    "INT96 of microseconds",
    instant(2, false),
    { type: 3 },
    [int96(1000n, 2_440_588), int96(0n, 2_440_588), int96(0n, 2_147_483_647)],
    [int64(0), int64(1)],
  ],
  [
    "milliseconds by converted type of microseconds",
    { type: 2, converted: 10 },
    { type: 2, converted: 9 },
    [int64(1), int64(0), int64(2n ** 62n)],
    [int64(0), int64(1000)],
  ],
  [
    "milliseconds by converted type of microseconds in UTC",
    instant(2, true),
    { type: 2, converted: 9 },
    [int64(1), int64(0), int64(2n ** 62n)],
    [int64(0), int64(1000)],
  ],
];

for (const [name, targets, type, keys, wanted] of pairsOfTypes)
  test(`a surplus row whose key the targets cannot write is left out: ${name}`, async () => {
    const written = writePair({ targets: [key(targets, ...wanted)], a: [key(type, ...keys), column("x", 1, 2, 3)] });
    const [, plan] = (await planHere({ ...written })).tables;
    assert.deepEqual([plan?.action, plan?.rowsDropped, plan?.rowsNullFilled], ["align", 1, 0]);
    const { output } = await mergeHere({ ...written, verify: "full" });
    const values = [2, 1].map((value) => int32(value).toString("hex"));
    assert.deepEqual((await readStored(output)).get("a_x")?.leaves, [values]);
  });

test("a timestamp by converted type alone is UTC, and no match for one without a zone", async () => {
  const tables = { targets: [key(instant(2, false), int64(0))], a: [key({ type: 2, converted: 10 }, int64(0))] };
  assert.equal(
    await refusal(tables),
    "a: key column interval_time does not fit the targets': found type Datetime(us,UTC) where the targets have Datetime(us); extract the table with the targets' key type, or read timestamps without a time zone as UTC with --key-cast timestamp-utc",
  );
});

/** What writers state for a column that holds nothing: pandas the type of nothing, or any other. */
const emptyTypes: [string, Type][] = [
  ["UNKNOWN", { type: 1, logical: [11] }],
  ["INT32", { type: 1 }],
  ["DOUBLE", { type: 5 }],
  ["BOOLEAN", { type: 0 }],
  ["STRING", text],
  ["a timestamp without a zone", instant(2, false)],
  ["TIME", { type: 2, logical: [7, [flag(1, true), struct(2, union(2))]] }],
];

for (const [name, type] of emptyTypes)
  test(`a table of zero rows is read whatever the type of its key: ${name}`, async () => {
    const tables = { targets: [key(instant(2, true), int64(0), int64(1))], a: [key(type), column("x")] };
    assert.match(
      await refusal(tables),
      /^a: no key in interval_time is one of the targets': found no rows; .*--min-match 0/,
    );
    const { output } = await mergeHere({ ...writePair(tables), minMatch: 0, verify: "full" });
    assert.deepEqual((await readStored(output)).get("a_x")?.leaves, [[null, null]]);
  });

test("a table of which no key matches is refused, or filled with null on request", async () => {
  const tables = { targets: [key(text, Buffer.from("a"))], a: [key(text, Buffer.from("b")), column("x", 1)] };
  assert.match(await refusal(tables), /^a: no key in interval_time is one of the targets': found 1 row, first key b; /);
  const { output } = await mergeHere({ ...writePair(tables), minMatch: 0, verify: "full" });
  assert.deepEqual((await readStored(output)).get("a_x")?.leaves, [[null]]);
});

test("a type that cannot be a key is named with its annotation", async () => {
  const time: Type = { type: 2, logical: [7, [flag(1, true), struct(2, union(2))]] };
  const tables = { targets: [key({ type: 2 }, int64(1))], a: [key(time, int64(1))] };
  assert.match(
    await refusal(tables),
    /^a: key column interval_time has a type that cannot be a key: found INT64 \(TIME\); /,
  );
  const floats = { targets: [key({ type: 5 }, double(1))] };
  assert.match(await refusal(floats), /^targets: .* found DOUBLE; /);
});

test("two columns of the key's name are refused: which one is the key cannot be told", async () => {
  const own = key({ type: 2 }, int64(1));
  const expected =
    /several columns are the key interval_time: found columns interval_time, interval_time; rename all but one/;
  assert.match(await refusal({ targets: [own], a: [own, column("x", 1), own] }), expected);
  assert.match(await refusal({ targets: [own, own] }), expected);
});

test("column names that are not UTF-8 are refused by their bytes; a replacement character is a name like any other", async () => {
  const own = key({ type: 2 }, int64(1));
  const [first, second] = [Buffer.from("x\xff", "latin1"), Buffer.from("x\xfe", "latin1")];
  assert.equal(
    await refusal({ targets: [own], a: [own, column(first, 1), column(second, 2)] }),
    "a: damaged or unreadable: found names of columns that are not UTF-8: 0x78ff, 0x78fe; rename these columns, and extract this table again",
  );
  const { output } = await mergeHere({
    ...writePair({ targets: [own], a: [own, column("\uFFFD", 1)] }),
    verify: "full",
  });
  assert.deepEqual([...(await readStored(output)).keys()], ["interval_time", "a_\uFFFD"]);
});

test("a byte order mark at the start of a name makes it another name", async () => {
  const own = key({ type: 2 }, int64(1));
  const marked = "\uFEFFx";
  const written = writePair({ targets: [own], a: [own, column(marked, 1), column("x", 2)] });
  const { output } = await mergeHere({ ...written, naming: "keep", verify: "full" });
  const found = await readStored(output);
  assert.deepEqual([...found.keys()], ["interval_time", marked, "x"]);
  assert.deepEqual(found.get(marked)?.leaves, [[int32(1).toString("hex")]]);
});
