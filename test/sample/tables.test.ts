import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createMarket } from "../../src/sample/market.ts";
import { fxPairs } from "../../src/sample/pairs.ts";
import { loadRates, realDays } from "../../src/sample/rates.ts";
import { computeColumns, draftTables, familyTables, shareTables, type TableDraft } from "../../src/sample/tables.ts";
import { fullWidths } from "../../src/sample/widths.ts";

const rates = await loadRates();
const market = createMarket(rates, 300, 1);

function countFamilies(drafts: readonly TableDraft[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { family } of drafts) counts[family] = (counts[family] ?? 0) + 1;
  return counts;
}

test("a full checkpoint has the real tables: 667 in five families, 16,988 columns, the real widths", () => {
  const drafts = draftTables(market, "audusd", "full");
  assert.deepEqual(countFamilies(drafts), { pair: 256, tri: 194, mkt: 10, var: 63, csi: 144 });
  const widths = drafts.map((draft) => draft.columns.length);
  assert.equal(
    widths.reduce((sum, width) => sum + width, 0),
    16_988,
  );
  assert.deepEqual(
    widths.toSorted((one, other) => one - other),
    fullWidths(),
  );
});

test("names are unique, and the same for every pair except for the third currencies", () => {
  for (const pair of fxPairs) {
    const drafts = draftTables(market, pair, "full");
    assert.equal(new Set(drafts.map((draft) => draft.name)).size, 667);
    for (const { name, family, columns } of drafts) {
      assert.match(name, /^(pair|tri|mkt|var|csi)_[a-z]+_\d{3}$/);
      assert.ok(name.startsWith(`${family}_`));
      assert.equal(new Set(columns.map((column) => column.name)).size, columns.length);
      assert.ok(columns.every((column) => /^[a-z0-9]+(_[a-z0-9]+)*_lag\d+$/.test(column.name)));
    }
  }
});

test("no two of the 16,988 columns are equal, none is empty, none has an infinite value", () => {
  const long = createMarket(rates, 1600, 1);
  const digests = new Set<string>();
  for (const draft of draftTables(long, "eurchf", "full")) {
    for (const { name, values } of computeColumns(draft.columns)) {
      const place = `${draft.name} ${name}`;
      assert.ok(
        values.some((value) => !Number.isNaN(value)),
        place,
      );
      assert.ok(!values.includes(Number.POSITIVE_INFINITY) && !values.includes(Number.NEGATIVE_INFINITY), place);
      digests.add(createHash("md5").update(values).digest("base64"));
    }
  }
  assert.equal(digests.size, 16_988);
});

test("any number of tables is divided in the real proportions, and from five tables on every family has one", () => {
  for (let tables = 1; tables <= 667; tables += 1) {
    const shares = Object.entries(shareTables(tables));
    assert.equal(
      shares.reduce((sum, [, share]) => sum + share, 0),
      tables,
    );
    if (tables < 5) continue;
    for (const [family, share] of shares) {
      const exact = ((familyTables[family as keyof typeof familyTables] ?? 0) * tables) / 667;
      assert.ok(share >= 1 && Math.abs(share - exact) < 2, `${share} of ${tables} for ${family}`);
    }
  }
  assert.deepEqual(shareTables(667), familyTables);
});

test("a lagged column is the feature so many rows later", () => {
  const [draft] = draftTables(createMarket(rates, realDays, 1), "audusd", "full");
  const columns = draft?.columns ?? [];
  for (const [index, { values }] of [...computeColumns(columns)].entries()) {
    const { feature, lag } = columns[index] ?? assert.fail();
    const plain = feature.compute();
    assert.deepEqual(values.subarray(lag), plain.subarray(0, plain.length - lag));
    assert.ok(values.subarray(0, lag).every(Number.isNaN));
  }
  assert.ok(columns.some((column) => column.lag > 0));
});
