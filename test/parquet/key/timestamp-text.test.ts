import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTimestamp, TimestampTextError } from "../../../src/parquet/key/timestamp-text.ts";

const moment = BigInt(Date.parse("2026-11-21T06:00:07Z")) * 1_000_000n;
const zoned: [string, bigint][] = [
  ["2026-11-21T06:00:07Z", moment],
  ["2026-11-21 06:00:07", moment],
  ["2026-11-21 06:00:07+00:00", moment],
  ["2026-11-21 07:30:07+01:30", moment],
  ["2026-11-21T01:00:07-0500", moment],
  ["2026-11-21 08:00:07+02", moment],
  ["2026-11-21 06:00:07 UTC", moment],
  ["2026-11-21 06:00:07.5", moment + 500_000_000n],
  ["2026-11-21 06:00:07.123456789", moment + 123_456_789n],
  ["2026-11-21 06:00:07.123456789000", moment + 123_456_789n],
  ["2026-11-21T06:00", moment - 7_000_000_000n],
  ["2026-11-21", moment - 7_000_000_000n - 6n * 3_600_000_000_000n],
  ["1969-12-31 23:59:59.999999999", -1n],
  ["1677-09-21 00:12:43.145224193", -(2n ** 63n) + 1n],
];
for (const [text, expected] of zoned)
  test(`${text} is ${expected}`, () => assert.equal(parseTimestamp(text, true), expected));

const refused = [
  ...["", "x", "21.11.2026 06:00", "11/21/2026", "2026-11-21T", "2026-13-01", "2026-02-30", "2026-11-21 24:00"],
  ...["2026-11-21 06:60", "2026-11-21 06:00:61", "2026-11-21 06", "2026-11-21 06:00:07.1234567891", "1763704807"],
  ...[" 2026-11-21", "2026-11-21 ", "2026-11-21 06:00 CET", "2500-01-01", "1600-01-01"],
];
for (const text of refused)
  test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseTimestamp(text, true), TimestampTextError));

test("without a time zone, a text is what its clock says, and an offset has no meaning", () => {
  assert.equal(parseTimestamp("2026-11-21 06:00:07", false), moment);
  assert.throws(() => parseTimestamp("2026-11-21 06:00:07Z", false), /has an offset/);
});

test("every millisecond is read back", () => {
  const milliseconds = fc.integer({ min: Date.parse("1678-01-01"), max: Date.parse("2262-01-01") });
  fc.assert(
    fc.property(milliseconds, (value) => {
      assert.equal(parseTimestamp(new Date(value).toISOString(), true), BigInt(value) * 1_000_000n);
    }),
  );
});
