import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader } from "../../../src/parquet/encoding/byte-reader.ts";
import { encodeHybrid, hybridBound } from "../../../src/parquet/encoding/hybrid.ts";
import { countPresent } from "../../../src/parquet/encoding/levels.ts";

/** Runs of one level, some of them so long that a million rows come together. */
const runs = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.oneof(fc.integer({ min: 1, max: 40 }), fc.nat(400_000))), {
  minLength: 1,
  maxLength: 6,
});

test("positions of values are those of a count row by row, on top of the values before", () => {
  fc.assert(
    fc.property(runs, fc.nat(300_000), (parts, before) => {
      const levels = Uint8Array.from(parts.flatMap(([level, length]) => new Array<number>(length).fill(level)));
      const encoded = new Uint8Array(hybridBound(1, levels.length));
      const end = encodeHybrid(levels, levels.length, 1, encoded, 0);
      const positions = new Int32Array(levels.length + 2);
      positions[1] = before;
      const present = countPresent(new ByteReader(encoded, 0, end), levels.length, positions, 1);
      let count = before;
      const expected = Int32Array.from([0, before, ...levels.map(() => 0)]);
      for (const [row, level] of levels.entries()) {
        count += level;
        expected[row + 2] = count;
      }
      assert.equal(present, count - before);
      assert.ok(Buffer.from(positions.buffer).equals(Buffer.from(expected.buffer)));
    }),
    { numRuns: 40 },
  );
});
