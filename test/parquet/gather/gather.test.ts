/** Any chunks, of any type and encoding, gathered by any row index: compared with lists that are gathered by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Arena } from "../../../src/parquet/arena.ts";
import { PageError } from "../../../src/parquet/encoding/encoding.ts";
import type { ColumnChunk } from "../../../src/parquet/footer.ts";
import { ColumnGatherer, type SourceChunk } from "../../../src/parquet/gather/column.ts";
import { decodeChunk, type Leaf } from "../../../src/parquet/gather/decode.ts";
import type { GatheredChunk } from "../../../src/parquet/gather/gather.ts";
import { cutRuns, toRuns } from "../../../src/parquet/gather/rows.ts";
import type { LeafShape } from "../../../src/parquet/gather/shape.ts";
import { createFinder } from "../../../src/parquet/gather/statistics.ts";
import { lookUp } from "../../../src/parquet/gather/values.ts";
import { ChunkBuffer } from "../../../src/parquet/page/chunk-buffer.ts";
import { type Entry, encodeChunk, type PageSketch } from "../../support/pages.ts";

interface Type {
  readonly name: string;
  readonly type: number;
  readonly width: number;
  readonly encodings: readonly number[];
}

const types: readonly Type[] = [
  { name: "BOOLEAN", type: 0, width: 1, encodings: [0, 3] },
  { name: "INT32", type: 1, width: 4, encodings: [0, 2, 8, 5, 9] },
  { name: "INT64", type: 2, width: 8, encodings: [0, 8, 5, 9] },
  { name: "INT96", type: 3, width: 12, encodings: [0, 8] },
  { name: "FLOAT", type: 4, width: 4, encodings: [0, 8, 9] },
  { name: "DOUBLE", type: 5, width: 8, encodings: [0, 2, 9] },
  { name: "BYTE_ARRAY", type: 6, width: 0, encodings: [0, 2, 8, 6, 7] },
  { name: "FIXED_LEN_BYTE_ARRAY(1)", type: 7, width: 1, encodings: [0, 8, 7, 9] },
  { name: "FIXED_LEN_BYTE_ARRAY(5)", type: 7, width: 5, encodings: [0, 8, 7, 9] },
  { name: "FIXED_LEN_BYTE_ARRAY(16)", type: 7, width: 16, encodings: [0, 8, 7] },
];

/** The highest levels: flat and required, flat and optional, a struct, a bare list, lists in lists. */
const nestings = [
  { maxDefinition: 0, maxRepetition: 0, nested: false, outermost: 0 },
  { maxDefinition: 1, maxRepetition: 0, nested: false, outermost: 1 },
  { maxDefinition: 2, maxRepetition: 0, nested: true, outermost: 1 },
  { maxDefinition: 0, maxRepetition: 0, nested: true, outermost: 0 },
  { maxDefinition: 1, maxRepetition: 1, nested: true, outermost: 2 },
  { maxDefinition: 2, maxRepetition: 1, nested: true, outermost: 0 },
  { maxDefinition: 5, maxRepetition: 2, nested: true, outermost: 1 },
] as const;
type Nesting = (typeof nestings)[number];

function anyValue({ type, width }: Type): fc.Arbitrary<Buffer> {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((one) => Buffer.from(one));
  if (type === 0) return fc.boolean().map((value) => Buffer.from([value ? 1 : 0]));
  const some = width > 0 ? bytes(width) : fc.uint8Array({ maxLength: 9 }).map((one) => Buffer.from(one));
  // Few values come again, so that dictionaries and prefixes have work to do.
  return fc.oneof(
    some,
    fc.constantFrom(1, 7, 255).map((byte) => Buffer.alloc(width === 0 ? byte % 40 : width, byte)),
  );
}

function anyRow(value: fc.Arbitrary<Buffer>, { maxDefinition, maxRepetition }: Nesting): fc.Arbitrary<Entry[]> {
  const entry = fc.record({ definition: fc.nat(maxDefinition), repetition: fc.nat(maxRepetition), value });
  return fc.array(entry, { minLength: 1, maxLength: maxRepetition === 0 ? 1 : 4 }).map((entries) =>
    entries.map((one, index) => ({
      repetition: index === 0 ? 0 : Math.max(1, one.repetition),
      definition: one.definition,
      value: one.definition === maxDefinition ? one.value : undefined,
    })),
  );
}

const anyCase = fc
  .record({ type: fc.constantFrom(...types), nesting: fc.constantFrom(...nestings) })
  .chain(({ type, nesting }) => {
    const page = fc.record({
      rows: fc.array(anyRow(anyValue(type), nesting), { maxLength: 40, size: "max" }),
      encoding: fc.constantFrom(...type.encodings),
      version: fc.constantFrom(1 as const, 2 as const),
      checksum: fc.boolean(),
      oldLevels: fc.boolean(),
    });
    return fc.record({
      type: fc.constant(type),
      nesting: fc.constant(nesting),
      codec: fc.constantFrom(0, 1, 2, 4, 5, 6, 7),
      groups: fc.array(fc.array(page, { maxLength: 3 }), { maxLength: 3 }),
      picks: fc.array(fc.integer({ min: -3, max: 200 }), { maxLength: 120, size: "max" }),
      runs: fc.boolean(),
      cut: fc.integer({ min: 1, max: 60 }),
    });
  });

function makeShape({ type, width }: Type, { maxDefinition, maxRepetition, outermost }: Nesting): LeafShape {
  const element = {
    name: "x",
    type,
    typeLength: type === 7 ? width : 0,
    repetition: outermost,
    children: 0,
    convertedType: undefined,
    scale: 0,
    precision: 0,
    logicalType: undefined,
    raw: new Uint8Array(),
  };
  const path = [Buffer.from("x")];
  return { element, path, width, boolean: type === 0, integer: type === 1 || type === 2, maxDefinition, maxRepetition };
}

/** The entries of each row of a decoded leaf. */
function rowsOf(leaf: Leaf): Entry[][] {
  const values = leaf.values.kind === "indexed" ? lookUp(leaf.values, new Arena()) : leaf.values;
  const { maxDefinition } = leaf.shape;
  let next = 0;
  const take = () => {
    const [from, end] =
      values.kind === "fixed"
        ? [next * values.width, (next + 1) * values.width]
        : [(values.offsets[next] ?? 0) + 4, values.offsets[next + 1] ?? 0];
    next += 1;
    return Buffer.from(values.bytes.subarray(from, end));
  };
  return Array.from({ length: leaf.rows }, (_, row) => {
    const { entries, positions } = leaf;
    if (entries === undefined) {
      const present = positions === undefined || positions[row + 1] !== positions[row];
      return [{ repetition: 0, definition: present ? maxDefinition : 0, value: present ? take() : undefined }];
    }
    const [from = 0, end = 0] = [entries.starts[row], entries.starts[row + 1]];
    return Array.from({ length: end - from }, (_, index) => {
      const definition = entries.definition[from + index] ?? 0;
      const repetition = entries.repetition?.[from + index] ?? 0;
      return { repetition, definition, value: definition === maxDefinition ? take() : undefined };
    });
  });
}

/** Runs of neighbours, or single rows; beyond the last row there is none. */
function makeIndex(picks: readonly number[], runs: boolean, rows: number): number[] {
  const wrap = (pick: number) => (pick < 0 || rows === 0 ? -1 : pick % rows);
  if (!runs) return picks.map(wrap);
  return picks
    .slice(0, 12)
    .flatMap((pick) => Array.from({ length: 9 }, (_, step) => (pick < 0 ? -1 : wrap(pick + step))));
}

/** Values in the order of their type, as numbers or texts that compare alike; NaN is no part of any order. */
function comparable({ type }: Type, value: Buffer): number | bigint | string {
  if (type === 1) return value.readInt32LE();
  if (type === 2) return value.readBigInt64LE();
  if (type === 4) return value.readFloatLE();
  return type === 5 ? value.readDoubleLE() : value.toString("hex");
}

/** Bounds are the smallest and largest value to the bit, but for zeros, which count as -0 below and +0 above. */
function checkBounds({ bounds }: GatheredChunk, type: Type, values: readonly Buffer[]): void {
  const { minimum, maximum } = bounds;
  if (type.type === 3) return assert.deepEqual([minimum, maximum], [undefined, undefined], "INT96 has no order");
  const known = values.map((value) => comparable(type, value)).filter((value) => !Number.isNaN(value));
  const sorted = known.toSorted((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  assert.equal(
    minimum && comparable(type, Buffer.from(minimum.bytes)),
    sorted[0] === 0 && type.type > 3 ? -0 : sorted[0],
  );
  assert.equal(maximum && comparable(type, Buffer.from(maximum.bytes)), sorted.at(-1));
  assert.ok(minimum?.exact !== false && maximum?.exact !== false);
}

test("gathered rows are those of the lists, to the bit", async () => {
  const gatherer = new ColumnGatherer();
  await fc.assert(
    fc.asyncProperty(anyCase, async ({ type, nesting, codec, groups, picks, runs, cut }) => {
      const shape = makeShape(type, nesting);
      const column = { boolean: shape.boolean, width: type.width, ...nesting, codec };
      const filled = groups.filter((pages) => pages.some(({ rows }) => rows.length > 0));
      const sources = filled.map((pages) => {
        const sketches: PageSketch[] = pages.map(({ rows, ...page }) => ({ ...page, entries: rows.flat() }));
        const bytes = encodeChunk(column, sketches);
        const values = sketches.reduce((sum, { entries }) => sum + entries.length, 0);
        const chunk: ColumnChunk = {
          path: ["x"],
          type: type.type,
          codec,
          encodings: [],
          values,
          start: 0,
          size: bytes.length,
          uncompressedSize: 2 * bytes.length,
          encrypted: false,
          elsewhere: false,
          raw: new Uint8Array(),
        };
        return { bytes, rows: pages.flatMap(({ rows }) => rows), chunk };
      });
      const all = sources.flatMap(({ rows }) => rows);
      const index = makeIndex(picks, runs, all.length);
      const deeper = nesting.outermost === 0 && index.includes(-1) ? 1 : 0;
      const layout = Array.from({ length: Math.ceil(index.length / cut) }, (_, part) =>
        Math.min(cut, index.length - part * cut),
      );
      const buffer = new ChunkBuffer();
      const chunks: { bytes: Buffer; chunk: GatheredChunk }[] = [];
      const task = {
        shape,
        nested: nesting.nested,
        groups: sources.map(({ rows, chunk }) => ({ rows: rows.length, chunk })),
        parts: cutRuns(toRuns(Int32Array.from(index)), layout),
        deeper,
        ordered: true,
        read: async (chunk: SourceChunk) => sources.find((source) => source.chunk === chunk)?.bytes ?? Buffer.alloc(0),
      } as const;
      for await (const chunk of gatherer.gather(task, async () => buffer)) {
        chunks.push({ bytes: Buffer.from(buffer.bytes), chunk });
        assert.equal(chunk.size, buffer.length);
        buffer.reset();
      }
      const wider = { ...shape, maxDefinition: shape.maxDefinition + deeper };
      const found = chunks.flatMap(({ bytes, chunk }, part) => {
        const encoded = { bytes, codec: chunk.codec, values: chunk.values, rows: layout[part] ?? 0 };
        return rowsOf(decodeChunk(encoded, wider, nesting.nested, { column: new Arena(), page: new Arena() }));
      });
      const expected = index.map((row) =>
        row === -1
          ? [{ repetition: 0, definition: 0, value: undefined }]
          : (all[row] ?? []).map((entry) => ({ ...entry, definition: entry.definition + deeper })),
      );
      assert.deepEqual(found, expected);
      for (const [part, { chunk }] of chunks.entries()) {
        const entries = expected.slice(part * cut, (part + 1) * cut).flat();
        checkBounds(
          chunk,
          type,
          entries.flatMap(({ value }) => (value === undefined ? [] : [value])),
        );
      }
      if (nesting.maxRepetition === 0) {
        const nulls = chunks.reduce((sum, { chunk }) => sum + (chunk.nulls ?? 0), 0);
        assert.equal(nulls, expected.flat().filter(({ value }) => value === undefined).length);
      }
    }),
    { numRuns: Number(process.env.GATHER_RUNS ?? 600) },
  );
});

test("bounds of long values are cut, marked, and still bounds", () => {
  const shape = (text: boolean): LeafShape => {
    const own = makeShape(types[6] as Type, nestings[0]);
    return { ...own, element: { ...own.element, convertedType: text ? 0 : undefined } };
  };
  const boundsOf = (value: Buffer, text: boolean) => {
    const finder = createFinder(shape(text));
    const bytes = Buffer.concat([Buffer.alloc(4), value]);
    finder.scan({ kind: "binary", count: 1, bytes, offsets: Float64Array.of(0, bytes.length) }, 0, 1);
    return finder.finish();
  };
  const cases: [Buffer, boolean, Buffer | undefined, Buffer | undefined][] = [
    [Buffer.alloc(64, 0x61), true, Buffer.alloc(64, 0x61), Buffer.alloc(64, 0x61)],
    [Buffer.alloc(65, 0x61), true, Buffer.alloc(64, 0x61), Buffer.from(`${"a".repeat(63)}b`)],
    [Buffer.from(`${"a".repeat(63)}ü`), true, Buffer.alloc(63, 0x61), Buffer.from(`${"a".repeat(62)}b`)],
    [Buffer.from("ü".repeat(40)), true, Buffer.from("ü".repeat(32)), undefined],
    [Buffer.alloc(70, 0xff), false, Buffer.alloc(64, 0xff), undefined],
    [
      Buffer.concat([Buffer.from([7]), Buffer.alloc(70, 0xff)]),
      false,
      Buffer.concat([Buffer.from([7]), Buffer.alloc(63, 0xff)]),
      Buffer.from([8]),
    ],
  ];
  for (const [value, text, least, most] of cases) {
    const { minimum, maximum } = boundsOf(value, text);
    assert.deepEqual(minimum && Buffer.from(minimum.bytes), least);
    assert.deepEqual(maximum && Buffer.from(maximum.bytes), most);
    assert.equal(minimum?.exact, value.length <= 64);
    if (maximum !== undefined) assert.equal(maximum.exact, value.length <= 64);
  }
});

test("any damage is a PageError or other values, never a crash", async () => {
  const shape = makeShape(types[6] as Type, nestings[1]);
  const rows = Array.from({ length: 50 }, (_, row) => ({
    repetition: 0,
    definition: row % 2,
    value: row % 2 === 1 ? Buffer.from(`v${row % 5}`) : undefined,
  }));
  const damage = fc.record({
    encoding: fc.constantFrom(0, 8, 6, 7),
    codec: fc.constantFrom(0, 1, 2, 6, 7),
    version: fc.constantFrom(1 as const, 2 as const),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.nat(255),
  });
  fc.assert(
    fc.property(damage, ({ encoding, codec, version, at, byte }) => {
      const page: PageSketch = { entries: rows, encoding, version, checksum: false, oldLevels: false };
      const bytes = encodeChunk({ boolean: false, width: 0, maxDefinition: 1, maxRepetition: 0, codec }, [page]);
      bytes[Math.floor(at * bytes.length)] = byte;
      try {
        decodeChunk({ bytes, codec, values: 50, rows: 50 }, shape, false, { column: new Arena(), page: new Arena() });
      } catch (error) {
        assert.ok(error instanceof PageError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
