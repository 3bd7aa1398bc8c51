import assert from "node:assert/strict";
import { test } from "node:test";
import { fullWidths, mixWidths, widthsOf } from "../../src/sample/widths.ts";

test("the full distribution has exactly the stated order statistics and sum", () => {
  const widths = fullWidths();
  assert.equal(widths.length, 667);
  assert.equal(
    widths.reduce((sum, width) => sum + width, 0),
    16_988,
  );
  assert.deepEqual(
    widths,
    widths.toSorted((one, other) => one - other),
  );
  assert.equal(widths[0], 4);
  assert.equal(widths[333], 14, "median");
  // The 90th percentile lies at place 599.4: both neighbours have it, so every way to interpolate gives it.
  assert.deepEqual(widths.slice(599, 601), [64, 64]);
  assert.equal(widths.at(-1), 232);
});

test("fewer tables keep the shape at half the width", () => {
  for (const tables of [1, 2, 40, 100, 667]) {
    const widths = widthsOf(tables);
    assert.equal(widths.length, tables);
    assert.ok(widths.every((width) => Number.isInteger(width) && width >= 4 && width <= 116));
  }
  assert.equal(widthsOf(667)[333], 7);
});

test("mixing keeps the widths and changes their order, always in the same way", () => {
  const widths = fullWidths();
  const mixed = mixWidths(widths);
  assert.notDeepEqual(mixed, widths);
  assert.deepEqual(mixed, mixWidths(widths));
  assert.deepEqual(
    mixed.toSorted((one, other) => one - other),
    widths,
  );
});
