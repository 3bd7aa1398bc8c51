import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ThriftReader } from "../../../src/parquet/thrift/reader.ts";
import {
  field,
  ThriftError,
  type ThriftStruct,
  ThriftType,
  type ThriftValue,
  withFields,
} from "../../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../../src/parquet/thrift/writer.ts";
import { loadFile } from "../../support/bytes.ts";
import { columnTypes, makeTable } from "../../support/columns.ts";
import { copyTo } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";

const folder = await scratchFolder("thrift");

function encode(struct: ThriftStruct): Uint8Array {
  const writer = new ThriftWriter();
  writer.writeStruct(struct);
  return Uint8Array.from(writer.bytes());
}

async function assertRoundTrip(path: string): Promise<void> {
  const { encoded } = await loadFile(path);
  const reader = new ThriftReader(encoded);
  const struct = reader.readStruct();
  assert.equal(reader.at, encoded.length, "every byte was read");
  assert.ok(Buffer.from(encode(struct)).equals(encoded), `${path} comes back byte for byte`);
}

test("footers of Polars come back byte for byte", async () => {
  const path = join(folder, "polars.parquet");
  const cells = [null, "1", "0"];
  const columns = columnTypes.map((type) => [type, [type, cells]] as const);
  makeTable(Object.fromEntries(columns)).lazy().sinkParquet(path, { rowGroupSize: 2, statistics: true }).collectSync();
  await assertRoundTrip(path);
});

test("footers of DuckDB come back byte for byte: nested, field ids, bloom filters", async () => {
  const path = join(folder, "duckdb.parquet");
  const select = "select range k, [range] l, {'a': range::varchar} s, map{'k': 1.5::decimal(30, 3)} m from range(5000)";
  await copyTo(path, select, "row_group_size 2048, field_ids 'auto', kv_metadata {note: 'ünï'}");
  await assertRoundTrip(path);
});

test("footers of the sample come back byte for byte", async () => {
  const program = new URL("../../../src/cli.ts", import.meta.url).pathname;
  const flags = ["sample", "--out", join(folder, "sample"), "--pairs", "audusd", "--tables", "5", "--rows", "60"];
  execFileSync(process.execPath, ["--no-warnings", program, ...flags]);
  const pair = join(folder, "sample", "audusd");
  const tables = readdirSync(pair).filter((name) => name.endsWith(".parquet"));
  assert.equal(tables.length, 6);
  for (const table of tables) await assertRoundTrip(join(pair, table));
});

/** A type code and a value of that type. */
interface Typed {
  readonly type: number;
  readonly value: ThriftValue;
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const scalars: fc.Arbitrary<Typed>[] = [
  fc.boolean().map((value) => ({ type: value ? ThriftType.true : ThriftType.false, value })),
  fc.integer({ min: -128, max: 127 }).map((value) => ({ type: ThriftType.i8, value })),
  fc.integer({ min: -32_768, max: 32_767 }).map((value) => ({ type: ThriftType.i16, value })),
  fc.integer().map((value) => ({ type: ThriftType.i32, value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ type: ThriftType.i64, value })),
  bytes(8).map((value) => ({ type: ThriftType.double, value })),
  fc.uint8Array({ maxLength: 300, size: "max" }).map((value) => ({ type: ThriftType.binary, value })),
  bytes(16).map((value) => ({ type: ThriftType.uuid, value })),
];

/** Elements share one type: those of the first element's type are kept. Booleans have two codes and either will do. */
function sameType(items: readonly Typed[]): readonly Typed[] {
  const family = (typed: Typed) => (typeof typed.value === "boolean" ? ThriftType.true : typed.type);
  return items.filter((item) => items[0] !== undefined && family(item) === family(items[0]));
}

const { struct } = fc.letrec<{ typed: Typed; struct: ThriftStruct }>((tie) => {
  const items = fc.array(tie("typed"), { maxLength: 40 }).map(sameType);
  const list = fc.record({ set: fc.boolean(), items }).map(({ set, items: own }) => ({
    type: set ? ThriftType.set : ThriftType.list,
    value: { elementType: own[0]?.type ?? ThriftType.i32, items: own.map(({ value }) => value) },
  }));
  const map = fc.tuple(items, items).map(([keys, values]) => {
    const size = Math.min(keys.length, values.length);
    const entries = keys.slice(0, size).map((key, index) => [key.value, values[index]?.value ?? 0] as const);
    const types = size === 0 ? { keyType: 0, valueType: 0 } : { keyType: keys[0]?.type, valueType: values[0]?.type };
    return { type: ThriftType.map, value: { ...types, entries } as ThriftValue };
  });
  const nested = tie("struct").map((value) => ({ type: ThriftType.struct, value }));
  const fields = fc.array(fc.tuple(fc.integer({ min: -32_768, max: 32_767 }), tie("typed")), { maxLength: 20 });
  return {
    typed: fc.oneof({ maxDepth: 4, withCrossShrink: true }, ...scalars, list, map, nested),
    struct: fields.map((entries) => ({ fields: entries.map(([id, typed]) => ({ id, ...typed })) })),
  };
});

test("any tree comes back as it was: unknown fields, jumps of field ids, booleans in structs and lists, maps", () => {
  fc.assert(
    fc.property(struct, (tree) => {
      const encoded = encode(tree);
      const reader = new ThriftReader(encoded);
      assert.deepEqual(reader.readStruct(), tree);
      assert.equal(reader.at, encoded.length);
    }),
    { numRuns: 1000 },
  );
});

test("a tree that is cut short anywhere is a ThriftError", () => {
  fc.assert(
    fc.property(struct, fc.nat(), (tree, cut) => {
      const encoded = encode(tree);
      assert.throws(() => new ThriftReader(encoded.subarray(0, cut % encoded.length)).readStruct(), ThriftError);
    }),
    { numRuns: 1000 },
  );
});

test("any bytes are a tree or a ThriftError", () => {
  const bias = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x1c, 0x19, 0xf9, 0x1b, 0xff, 0x15));
  fc.assert(
    fc.property(fc.array(bias, { maxLength: 400, size: "max" }), (values) => {
      try {
        new ThriftReader(Uint8Array.from(values)).readStruct();
      } catch (error) {
        assert.ok(error instanceof ThriftError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

test("lies about sizes and depth are refused before anything is allocated for them", () => {
  const refuse = (...values: number[]) =>
    assert.throws(() => new ThriftReader(Uint8Array.from(values)).readStruct(), ThriftError);
  refuse(0x18, 0xff, 0xff, 0xff, 0xff, 0x0f);
  refuse(0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x0f);
  refuse(0x1b, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x55);
  refuse(0x16, ...Array.from({ length: 10 }, () => 0xff), 0x01);
  refuse(0x1e, 0);
  refuse(...Array.from({ length: 100_000 }, () => 0x1c));
  refuse(...Array.from({ length: 100_000 }, () => 0x19));
});

test("the encoding is the specification's", () => {
  const boolean = { id: 1, type: ThriftType.true, value: true };
  const short = { id: 16, type: ThriftType.true, value: true };
  const jump = { id: 32, type: ThriftType.false, value: false };
  const number = { id: 33, type: ThriftType.i32, value: -1 };
  const word = { id: 3, type: ThriftType.binary, value: Buffer.from("ab") };
  const list = { elementType: ThriftType.true, items: [true, false] };
  const fields = [boolean, short, jump, number, word, { id: 4, type: ThriftType.list, value: list }];
  const expected = [0x11, 0xf1, 0x02, 0x40, 0x15, 0x01, 0x08, 0x06, 0x02, 0x61, 0x62, 0x19, 0x21, 0x01, 0x02, 0x00];
  assert.deepEqual([...encode({ fields })], expected);
});

test("fields are found, replaced, added in order, and left out", () => {
  const one = { id: 1, type: ThriftType.i32, value: 1 };
  const nine = { id: 9, type: ThriftType.i32, value: 9 };
  const tree = { fields: [one, nine] };
  assert.equal(field(tree, 9), 9);
  assert.equal(field(tree, 2), undefined);
  assert.equal(field(undefined, 2), undefined);
  const changed = withFields(tree, {
    9: undefined,
    1: { type: ThriftType.i32, value: 5 },
    4: { type: ThriftType.i8, value: 4 },
  });
  assert.deepEqual(
    changed.fields.map(({ id, value }) => [id, value]),
    [
      [1, 5],
      [4, 4],
    ],
  );
});
