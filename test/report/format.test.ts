import assert from "node:assert/strict";
import { test } from "node:test";
import { describeMissing, formatBilled, formatSum, formatTime, formatUsd } from "../../src/report/format.ts";

test("money: cents, and below 10 cents two significant digits; a sum with gaps says so", () => {
  assert.deepEqual([0, 16.254, 1204, 0.1, 0.0314, 0.0031, 0.000012].map(formatUsd), [
    "$0.00",
    "$16.25",
    "$1,204.00",
    "$0.10",
    "$0.031",
    "$0.0031",
    "$0.000012",
  ]);
  assert.equal(formatSum({ usd: 1.2, missing: [] }), "$1.20");
  assert.equal(formatSum({ usd: 1.2, missing: ["no price for x"] }), "at least $1.20");
  assert.equal(formatSum({ usd: 0, missing: ["no price for x"] }), "unknown");
  assert.equal(describeMissing({ usd: 1.2, missing: ["no price for x", "y"] }), "Incomplete: no price for x; y.");
  assert.equal(describeMissing({ usd: 1.2, missing: [] }), "");
});

test("an unknown bill is a dash, not $0", () => {
  assert.equal(formatBilled(null), "–");
  assert.equal(formatBilled(0), "$0.00");
});

test("times are shown in UTC, to the second", () => {
  assert.equal(formatTime("2026-11-21T07:00:00.123+01:00"), "2026-11-21 06:00:00");
  assert.equal(formatTime("<b>"), "<b>");
});
