import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { combineCrc32c, crc32c } from "../../src/store/crc32c.ts";

test("the sum of two pieces is that of the whole, wherever it is cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
      const cut = Math.min(at, bytes.length);
      const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assert.equal(combineCrc32c(crc32c(first), crc32c(second), second.length), crc32c(bytes));
    }),
  );
});

test("large pieces combine too", () => {
  const bytes = randomBytes(3 * 2 ** 20 + 17);
  for (const cut of [1, 2 ** 20, 2 ** 21 + 5]) {
    const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
    assert.equal(combineCrc32c(crc32c(first), crc32c(second), second.length), crc32c(bytes));
  }
});
