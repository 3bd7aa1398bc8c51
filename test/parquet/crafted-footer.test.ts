/** Footers of a few megabytes that are made to take gigabytes of memory, or hours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { checkFooter } from "../../src/parquet/footer-check.ts";
import { parseFooter } from "../../src/parquet/footer-parser.ts";
import { readHeader } from "../../src/parquet/page/header.ts";
import { ThriftReader } from "../../src/parquet/thrift/reader.ts";
import { ThriftError, ThriftType } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";

const size = 6_000_000;

/** A struct whose field `id` is a list of as many copies of `item` as fit into 6 MB, below the fields of `path`. */
function repeatItem(path: readonly number[], item: readonly number[], elementType: number = ThriftType.struct): Buffer {
  const writer = new ThriftWriter();
  for (const id of path.slice(0, -1)) {
    writer.writeFieldHeader(id, ThriftType.list, 0);
    writer.writeListHeader(ThriftType.struct, 1);
  }
  const count = Math.floor(size / item.length);
  writer.writeFieldHeader(path.at(-1) ?? 0, ThriftType.list, 0);
  writer.writeListHeader(elementType, count);
  writer.writeRaw(Buffer.alloc(count * item.length, Buffer.from(item)));
  for (const _ of path.slice(1)) writer.writeStop();
  writer.writeFieldHeader(3, ThriftType.i64, 50);
  writer.writeValue(ThriftType.i64, 0n);
  writer.writeStop();
  return writer.bytes();
}

const emptyStruct = [0];
const crafted: Readonly<Record<string, Buffer>> = {
  "an unknown field of empty structs": repeatItem([50], emptyStruct),
  "schema elements without fields": repeatItem([2], emptyStruct),
  "schema elements of eight bytes": repeatItem([2], [0x15, 2, 0x25, 2, 0x18, 1, 0x61, 0]),
  "empty row groups": repeatItem([4], emptyStruct),
  "row groups without chunks": repeatItem([4], [0x19, 0x0c, 0x26, 0, 0]),
  "column chunks without fields": repeatItem([4, 1], emptyStruct),
  "column chunks of three bytes": repeatItem([4, 1], [0x26, 0, 0]),
  "column orders": repeatItem([7], emptyStruct),
  "column orders of the type": repeatItem([7], [0x1c, 0, 0]),
  "metadata without keys": repeatItem([5], emptyStruct),
  "metadata with empty keys": repeatItem([5], [0x18, 0, 0]),
  "a struct of booleans": Buffer.concat([Buffer.alloc(size, 0x11), Buffer.of(0)]),
  "a list in a list in a list": Buffer.alloc(size, 0x19),
  "a list that states more elements than there are bytes": Buffer.of(0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0),
};

/** Parses and checks a footer in a thread with little memory; returns how it ended. */
function parseInThread(footer: Buffer): Promise<string> {
  const worker = new Worker(new URL("./crafted-footer.ts", import.meta.url), {
    workerData: footer,
    resourceLimits: { maxOldGenerationSizeMb: 600, maxYoungGenerationSizeMb: 64 },
  });
  return new Promise((resolve) => {
    worker.once("message", resolve).once("error", (error) => resolve(String(error)));
  });
}

for (const [name, footer] of Object.entries(crafted))
  test(`6 MB of ${name} are parsed or refused within 600 MB`, async () => {
    assert.match(await parseInThread(footer), /^(ThriftError|parsed)$/);
  });

test("many row groups of a wide table are checked once for each, not once for each column", () => {
  const writer = new ThriftWriter();
  const columns = 20_000;
  writer.writeFieldHeader(2, ThriftType.list, 0);
  writer.writeListHeader(ThriftType.struct, columns + 1);
  writer.writeStruct({
    fields: [
      { id: 4, type: ThriftType.binary, value: Buffer.from("schema") },
      { id: 5, type: ThriftType.i32, value: columns },
    ],
  });
  writer.writeRaw(Buffer.alloc(8 * columns, Buffer.of(0x15, 2, 0x25, 2, 0x18, 1, 0x61, 0)));
  const groups = 100_000;
  writer.writeFieldHeader(3, ThriftType.i64, 2);
  writer.writeValue(ThriftType.i64, 0n);
  writer.writeFieldHeader(4, ThriftType.list, 3);
  writer.writeListHeader(ThriftType.struct, groups);
  writer.writeRaw(Buffer.alloc(5 * groups, Buffer.of(0x19, 0x0c, 0x26, 2, 0)));
  writer.writeStop();
  let found = 0;
  for (const problem of checkFooter(parseFooter(writer.bytes()), 4)) found += problem === "" ? 0 : 1;
  assert.equal(found, groups + 1);
});

test("fields that come twice and numbers that contradict each other are refused", () => {
  const rows = [0x36, 0];
  for (const [bytes, expected] of [
    [[...rows, 0x06, 6, 0, 0], /FileMetaData with two fields 3/],
    [
      [0x29, 0x1c, 0x15, 2, 0x25, 0, 0x18, 1, 0x61, 0x15, 6, 0, ...rows.map((byte) => byte), 0],
      /of type 1, .*3 children/,
    ],
    [[0x29, 0x1c, 0x35, 10, 0x18, 1, 0x61, 0, 0], /repetition 5/],
  ] as const)
    assert.throws(
      () => parseFooter(Uint8Array.from(bytes)),
      (error: unknown) => {
        assert.ok(error instanceof ThriftError);
        assert.match(error.message, expected);
        return true;
      },
    );
});

test("a page header with thousands of values is refused before they are kept", () => {
  const reader = new ThriftReader(Buffer.concat([Buffer.alloc(size, 0x11), Buffer.of(0)]));
  assert.throws(() => readHeader(reader), /too many values in one structure/);
  assert.ok(reader.at < 5000);
});
