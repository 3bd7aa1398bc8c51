import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ReusableBuffer } from "../../src/parquet/buffer-pool.ts";
import { ParquetError, readFooter } from "../../src/parquet/footer-reader.ts";
import { CountingReader } from "../support/bytes.ts";
import { makeTable } from "../support/columns.ts";
import { scratchFolder } from "../support/folder.ts";

const path = join(await scratchFolder("tail"), "small.parquet");
makeTable({ key: ["Int64", ["1", "2"]], value: ["Float64", ["0.5", null]] }).writeParquet(path);
const sound = readFileSync(path);

function damage(change: (bytes: Buffer) => Buffer | undefined): Buffer {
  const bytes = Buffer.from(sound);
  return change(bytes) ?? bytes;
}

test("one read when the footer fits the guess, two otherwise, never more than the file", async () => {
  const one = new CountingReader(sound);
  const { footer, start } = await readFooter(one);
  assert.deepEqual(one.reads, [{ start: 0, length: sound.length }]);
  const two = new CountingReader(sound);
  const again = await readFooter(two, 16);
  assert.deepEqual(two.reads, [
    { start: sound.length - 16, length: 16 },
    { start, length: sound.length - 16 - start },
  ]);
  assert.deepEqual(again.footer, footer);
  assert.equal(again.start, start);
  assert.equal(footer.rows, 2);
});

test("a scratch may be used again: the footer keeps no view of it", async () => {
  const scratch = new ReusableBuffer();
  const { footer } = await readFooter(new CountingReader(sound), 64 * 1024, scratch);
  const before = Buffer.from(footer.rowGroups[0]?.chunks[0]?.raw ?? []);
  scratch.reset();
  scratch.take(sound.length).fill(0xff);
  assert.ok(before.length > 0);
  assert.ok(before.equals(footer.rowGroups[0]?.chunks[0]?.raw ?? Buffer.alloc(0)));
});

const cases: [string, Buffer, RegExp][] = [
  ["nothing", Buffer.alloc(0), /^0 bytes$/],
  ["a few bytes", Buffer.from("PAR1PAR1"), /^8 bytes, too few for Parquet$/],
  ["another format", Buffer.from("key,value\n1,0.5\n2,\n"), /where Parquet has "PAR1": not Parquet, or truncated$/],
  ["a truncated file", sound.subarray(0, sound.length - 1), /not Parquet, or truncated$/],
  ["an encrypted footer", damage((bytes) => void bytes.write("PARE", bytes.length - 4)), /^an encrypted footer$/],
  [
    "a footer longer than the file",
    damage((bytes) => void bytes.writeUInt32LE(bytes.length - 11, bytes.length - 8)),
    /^a footer length of \d+ bytes in a file of \d+ bytes$/,
  ],
  ["no footer", damage((bytes) => void bytes.writeUInt32LE(0, bytes.length - 8)), /^a footer length of 0 bytes/],
  [
    "a footer that starts too late",
    damage((bytes) => void bytes.writeUInt32LE(bytes.readUInt32LE(bytes.length - 8) - 3, bytes.length - 8)),
    /^a footer that cannot be read \(/,
  ],
];

for (const [name, bytes, pattern] of cases) {
  test(`${name} is a ParquetError that says what was found`, async () => {
    await assert.rejects(readFooter(new CountingReader(bytes)), (error) => {
      assert.ok(error instanceof ParquetError, String(error));
      assert.match(error.message, pattern);
      assert.match(error.fix, name === "an encrypted footer" ? /decrypt/ : /extract this table again/);
      return true;
    });
  });
}

test("any bytes are a footer or a ParquetError", async () => {
  const ends = fc.constantFrom(Buffer.from("PAR1"), Buffer.from("PARE"), Buffer.alloc(0));
  const bodies = fc.oneof(fc.uint8Array({ maxLength: 300, size: "max" }), fc.constant(Uint8Array.from(sound)));
  await fc.assert(
    fc.asyncProperty(bodies, fc.nat(400), ends, async (body, length, end) => {
      const word = Buffer.alloc(4);
      word.writeUInt32LE(length);
      const bytes = Buffer.concat([body, word, end]);
      await readFooter(new CountingReader(bytes), 32).catch((error: unknown) => {
        assert.ok(error instanceof ParquetError, String(error));
      });
    }),
    { numRuns: 2000 },
  );
});
