import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket } from "../../src/sample/market.ts";
import { loadRates, realDays } from "../../src/sample/rates.ts";
import { computeTargets, targetColumns } from "../../src/sample/targets.ts";

const market = createMarket(await loadRates(), realDays, 1);
const targets = new Map([...computeTargets(market, "gbpjpy")].map(({ name, values }) => [name, values]));

test("7 horizons times 7 windows, each name once", () => {
  assert.equal(targets.size, 49);
  assert.equal(targetColumns, 49);
  const parts = [...targets.keys()].map((name) => /^fwd_ret_h(\d+)_w(\d+)$/.exec(name)?.slice(1) ?? assert.fail(name));
  for (const part of [0, 1]) assert.equal(new Set(parts.map((numbers) => numbers[part])).size, 7);
});

test("a target is the sum of the future daily returns", () => {
  const daily = market.returns("GBP", "JPY");
  for (const [name, values] of targets) {
    const [horizon = 0, window = 0] = (name.match(/\d+/g) ?? []).map(Number);
    for (const row of [0, 1234, realDays - horizon - window - 1]) {
      const future = daily.slice(row + horizon + 1, row + horizon + window + 1).reduce((sum, value) => sum + value, 0);
      assert.ok(Math.abs((values[row] ?? Number.NaN) - future) < 1e-12, `${name} row ${row}`);
    }
  }
});

test("a target is missing exactly where the future is unknown", () => {
  for (const [name, values] of targets) {
    const [horizon = 0, window = 0] = (name.match(/\d+/g) ?? []).map(Number);
    assert.equal(values.findIndex(Number.isNaN), realDays - horizon - window, name);
    assert.equal(values.filter(Number.isNaN).length, horizon + window, name);
  }
});
