import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { ChunkBuffer } from "../../../src/parquet/page/chunk-buffer.ts";
import { Codec, decompress } from "../../../src/parquet/page/codec.ts";
import { PageType, readPages } from "../../../src/parquet/page/header.ts";
import { writePage } from "../../../src/parquet/page/writer.ts";

const codecs = [Codec.none, Codec.snappy, Codec.gzip, Codec.brotli, Codec.lz4Raw, Codec.zstd];
/** Around the lengths at which a length takes one more byte, and a literal ends. */
const lengths = fc.oneof(
  fc.nat(300),
  fc.constantFrom(127, 128, 16_383, 16_384, 65_535, 65_536, 65_537, 131_072, 131_073, 2_097_151, 2_097_152, 2_097_153),
);

test("pages of any length are read as they were written, in every codec, with and without checksums", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(lengths, fc.boolean()), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...codecs),
      fc.boolean(),
      fc.boolean(),
      (pages, codec, shrinks, checksums) => {
        const chunk = new ChunkBuffer();
        const bodies = pages.map(([length, plain]) => Buffer.alloc(length, plain ? 7 : "0123456789abcdefghijklmnopq"));
        let uncompressed = 0;
        for (const [index, body] of bodies.entries()) {
          const page = { type: PageType.data, values: index + 1, encoding: 0 } as const;
          uncompressed += writePage(body, page, { codec, shrinks, checksums }, chunk);
        }
        const read = [...readPages(chunk.bytes)];
        assert.deepEqual(
          read.map(({ values }) => values),
          bodies.map((_, index) => index + 1),
        );
        let stored = 0;
        for (const [index, page] of read.entries()) {
          const body = bodies[index] ?? assert.fail();
          assert.equal(page.uncompressedSize, body.length);
          const out = new Uint8Array(body.length);
          decompress(codec, page.body, out);
          assert.ok(body.equals(out));
          assert.equal(page.checksum, checksums ? crc32(page.body) | 0 : undefined);
          stored += page.body.length - body.length;
        }
        assert.equal(chunk.length, uncompressed + stored);
      },
    ),
    { numRuns: 150 },
  );
});
