import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import type { ColumnChunk } from "../../src/parquet/footer.ts";
import { checkPages, DamagedPage, PassingPages } from "../../src/parquet/pages.ts";
import { ThriftType } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";
import { CountingReader, loadFile } from "../support/bytes.ts";
import { copyTo } from "../support/duckdb.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("pages");
const PageType = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

interface PageWords {
  readonly type?: number;
  readonly body?: Uint8Array;
  readonly bodyBytes?: number;
  readonly uncompressedBytes?: number;
  readonly values?: number;
  readonly checksum?: number;
}

/** A page as the format lays it down: header (parquet.thrift, PageHeader) and body. */
function makePage(page: PageWords): Buffer {
  const { type = PageType.data, body = Buffer.alloc(10, 7), values = 5, checksum } = page;
  const header = type === PageType.dataV2 ? 8 : type === PageType.dictionary ? 7 : 5;
  const numbers = [type, page.uncompressedBytes ?? body.length, page.bodyBytes ?? body.length];
  const counts = { fields: [{ id: 1, type: ThriftType.i32, value: values }] };
  const writer = new ThriftWriter();
  writer.writeStruct({
    fields: [
      ...numbers.map((value, index) => ({ id: index + 1, type: ThriftType.i32, value })),
      ...(checksum === undefined ? [] : [{ id: 4, type: ThriftType.i32, value: checksum }]),
      ...(type === PageType.index ? [] : [{ id: header, type: ThriftType.struct, value: counts }]),
    ],
  });
  return Buffer.concat([writer.bytes(), body]);
}

const plain: ColumnChunk = {
  path: ["value"],
  type: 2,
  codec: 0,
  encodings: [0],
  values: 5,
  start: 0,
  size: 0,
  uncompressedSize: 0,
  encrypted: false,
  elsewhere: false,
  raw: new Uint8Array(),
};

function walk(pages: readonly Uint8Array[], words: Partial<ColumnChunk> = {}, checksums = true) {
  // Something before and after, so that a walk that leaves its chunk is seen.
  const bytes = Buffer.concat([Buffer.alloc(4, 0xaa), ...pages, Buffer.alloc(300, 0xaa)]);
  const size = pages.reduce((sum, page) => sum + page.length, 0);
  return checkPages({ ...plain, start: 4, size, ...words }, new CountingReader(bytes).peek, checksums);
}

const good = makePage({});

test("dictionary, data, index and version 2 pages add up", () => {
  const dictionary = makePage({ type: PageType.dictionary, values: 99 });
  const index = makePage({ type: PageType.index });
  const second = makePage({ type: PageType.dataV2, values: 3 });
  assert.deepEqual(walk([dictionary, good, index, second], { values: 8 }), { pages: 4, problem: undefined });
});

test("checksums are compared when asked for", () => {
  const body = Buffer.from("some page body");
  const right = makePage({ body, checksum: crc32(body) | 0 });
  const wrong = makePage({ body, checksum: (crc32(body) | 0) ^ 1 });
  assert.deepEqual(walk([right]), { pages: 1, problem: undefined });
  assert.match(walk([wrong]).problem ?? "", /^page 0: CRC32 \d+, the header says \d+$/);
  assert.equal(walk([wrong], {}, false).problem, undefined);
});

test("a flipped bit of a body with a checksum is found", () => {
  const body = Buffer.alloc(100, 3);
  const page = makePage({ body, checksum: crc32(body) | 0 });
  for (let at = page.length - 100; at < page.length; at += 1) {
    const damaged = Buffer.from(page);
    damaged[at] = 2;
    assert.match(walk([damaged]).problem ?? "", /CRC32/);
  }
});

const snappy = { codec: 1 };
const cases: [string, Uint8Array[], Partial<ColumnChunk>, RegExp][] = [
  ["fewer values than stated", [good], { values: 6 }, /^pages hold 5 values, the footer says 6$/],
  ["no page at all", [], {}, /^pages hold 0 values, the footer says 5$/],
  ["a body beyond the chunk", [makePage({ bodyBytes: 11 })], {}, /^page 0: 11 bytes at \d+, beyond the chunk's end/],
  ["a body of negative length", [makePage({ bodyBytes: -5 })], {}, /^page 0: -5 bytes at/],
  ["a chunk cut within a header", [good.subarray(0, 5)], {}, /^page 0: a header that cannot be read/],
  ["a chunk with a rest", [good, Buffer.from([0x15])], {}, /^page 1: a header that cannot be read/],
  ["a page of unknown type", [makePage({ type: 4 })], {}, /^page 0: a header that cannot be read \(page type 4/],
  ["a negative number of values", [makePage({ values: -1 })], {}, /with -1 values/],
  [
    "a dictionary after data",
    [good, makePage({ type: PageType.dictionary })],
    {},
    /^page 1: a dictionary page after data/,
  ],
  [
    "Snappy of another length",
    [makePage({ body: Buffer.from([9, 0]), uncompressedBytes: 8 })],
    snappy,
    /^page 0: Snappy states 9 bytes, the header 8$/,
  ],
  [
    "Snappy without a length",
    [makePage({ body: Buffer.alloc(8, 0xff), uncompressedBytes: 8 })],
    snappy,
    /^page 0: Snappy states -1/,
  ],
  [
    "plain pages of two lengths",
    [makePage({ uncompressedBytes: 11 })],
    {},
    /^page 0: 10 bytes uncompressed, the header says 11$/,
  ],
];

for (const [name, pages, words, pattern] of cases)
  test(`${name} is a problem`, () => assert.match(walk(pages, words).problem ?? "no problem", pattern));

test("a header of 100 kB is read, and bodies are not", () => {
  const statistics = { fields: [{ id: 1, type: ThriftType.binary, value: Buffer.alloc(100_000) }] };
  const counts = {
    fields: [
      { id: 1, type: ThriftType.i32, value: 5 },
      { id: 5, type: ThriftType.struct, value: statistics },
    ],
  };
  const writer = new ThriftWriter();
  const numbers = [0, 1e6, 1e6].map((value, index) => ({ id: index + 1, type: ThriftType.i32, value }));
  writer.writeStruct({ fields: [...numbers, { id: 5, type: ThriftType.struct, value: counts }] });
  const page = Buffer.concat([writer.bytes(), Buffer.alloc(1e6)]);
  let read = 0;
  const source = (start: number, length: number): Uint8Array => {
    read = Math.max(read, length);
    return page.subarray(start, start + length);
  };
  const chunk = { ...plain, size: page.length };
  assert.deepEqual(checkPages(chunk, source), { pages: 1, problem: undefined });
  const small = { ...plain, size: good.length + 1e6 };
  read = 0;
  const long = Buffer.concat([makePage({ body: Buffer.alloc(1e6) })]);
  const reader = (start: number, length: number): Uint8Array => {
    read = Math.max(read, length);
    return long.subarray(start, start + length);
  };
  checkPages({ ...small, size: long.length }, reader);
  assert.ok(read <= 256, `${read} bytes at once`);
});

test("files of DuckDB walk to their end: every codec, both page versions", async () => {
  const path = join(folder, "duckdb.parquet");
  for (const codec of ["snappy", "zstd", "gzip", "lz4_raw", "brotli", "uncompressed"]) {
    for (const version of ["v1", "v2"]) {
      const select =
        "select range k, range % 7 d, range::varchar t, [range] l, case when range % 3 = 0 then 1.5 end n from range(5000)";
      await copyTo(path, select, `codec '${codec}', parquet_version ${version}, row_group_size 2048`);
      const { footer, reader } = await loadFile(path);
      for (const chunk of footer.rowGroups.flatMap((group) => group.chunks)) {
        const found = checkPages(chunk, reader.peek, true);
        assert.equal(found.problem, undefined, `${codec} ${version} ${chunk.path}`);
        assert.ok(found.pages > 0);
      }
    }
  }
});

test("any bytes end in a count or a problem", () => {
  const someBytes = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0x15, 0x00, 0x2c, 0x1c)), {
    maxLength: 300,
    size: "max",
  });
  fc.assert(
    fc.property(someBytes, fc.nat(40), fc.nat(1), (values, prefix, codec) => {
      const bytes = Buffer.concat([good.subarray(0, prefix), Uint8Array.from(values)]);
      const { pages, problem } = walk([bytes], { codec });
      assert.ok(pages >= 0 && (problem === undefined || problem.length > 0));
    }),
    { numRuns: 3000 },
  );
});

/** Lets a file pass in pieces of `size` bytes. */
function passAll(chunks: readonly Uint8Array[][], size: number): void {
  const file = Buffer.concat([Buffer.alloc(4, 0xaa), ...chunks.flatMap((chunk) => [...chunk, Buffer.alloc(9, 0xaa)])]);
  let start = 4;
  const places = chunks.map((chunk) => {
    const place = { ...plain, start, size: Buffer.concat(chunk).length };
    start += place.size + 9;
    return place;
  });
  const passing = new PassingPages(places);
  for (let at = 0; at < file.length; at += size) passing.pass(at, file.subarray(at, at + size));
}

test("page checksums are compared as the bytes pass, in pieces of any size", () => {
  const bodies = fc.array(fc.record({ body: fc.uint8Array({ maxLength: 90 }), summed: fc.boolean() }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.array(bodies, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 120 }),
      fc.nat(),
      (chunks, size, pick) => {
        const pages = chunks.map((chunk) =>
          chunk.map(({ body, summed }) => makePage({ body, ...(summed ? { checksum: crc32(body) | 0 } : {}) })),
        );
        assert.doesNotThrow(() => passAll(pages, size));
        const summed = chunks.flatMap((chunk, at) =>
          chunk.flatMap(({ body, summed: has }, page) => (has && body.length > 0 ? [{ at, page, body }] : [])),
        );
        const damaged = summed[pick % Math.max(1, summed.length)];
        if (damaged === undefined) return;
        const bytes = pages[damaged.at]?.[damaged.page];
        assert.ok(bytes);
        const flipped = bytes.length - 1 - (pick % damaged.body.length);
        bytes[flipped] = (bytes[flipped] ?? 0) ^ 0x10;
        assert.throws(
          () => passAll(pages, size),
          (error: unknown) =>
            error instanceof DamagedPage &&
            error.message.startsWith(`page ${damaged.page}: CRC32 `) &&
            error.chunk === damaged.at,
        );
      },
    ),
  );
});

test("a chunk that passes and does not end with a page is damaged", () => {
  for (const size of [1, 7, 1000]) {
    assert.throws(() => passAll([[good, Buffer.from([0x15])]], size), /page 1: a header that cannot be read/);
    assert.throws(() => passAll([[makePage({ bodyBytes: 13 })]], size), /page 0: 3 bytes beyond the chunk's end/);
    assert.throws(() => passAll([[makePage({ bodyBytes: -5 })]], size), /page 0: -5 bytes/);
  }
});
