import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket } from "../../src/sample/market.ts";
import { currencies, defaultPairs, fxPairs, splitPair } from "../../src/sample/pairs.ts";
import { loadRates, realDays } from "../../src/sample/rates.ts";

const rates = await loadRates();
const dayOf = (key: bigint | undefined): string => new Date(Number((key ?? 0n) / 1000n)).toISOString();

test("28 pairs, each two currencies once, 27 of them in a run", () => {
  const sets = fxPairs.map((pair) => Object.values(splitPair(pair)).toSorted().join());
  assert.equal(new Set(sets).size, 28);
  assert.equal((currencies.length * (currencies.length - 1)) / 2, 28);
  assert.deepEqual(
    fxPairs.filter((pair) => !defaultPairs.includes(pair)),
    ["eurusd"],
  );
});

test("the rate of a pair is quote per EUR over base per EUR", () => {
  const { logRate, keys, rows, syntheticRows } = createMarket(rates, realDays, 1);
  assert.deepEqual([rows, syntheticRows, keys.length], [6983, 0, 6983]);
  // 1999-01-04: USD 1.1789, JPY 133.73, AUD 1.91 for 1 EUR.
  assert.equal(dayOf(keys[0]), "1999-01-04T00:00:00.000Z");
  assert.ok(Math.abs(Math.exp(logRate("AUD", "USD")[0] ?? 0) - 1.1789 / 1.91) < 1e-12);
  assert.ok(Math.abs(Math.exp(logRate("EUR", "JPY")[0] ?? 0) - 133.73) < 1e-10);
  assert.equal(dayOf(keys.at(-1)), "2026-04-13T00:00:00.000Z");
  assert.ok(Math.abs(Math.exp(logRate("USD", "CHF").at(-1) ?? 0) - 0.9242 / 1.1684) < 1e-12);
});

test("fewer rows are the last real days", () => {
  const all = createMarket(rates, realDays, 1);
  const few = createMarket(rates, 250, 1);
  assert.deepEqual(few.keys, all.keys.slice(-250));
  assert.deepEqual(few.logRate("GBP", "NZD"), all.logRate("GBP", "NZD").slice(-250));
});

test("more rows continue with returns of real days on the weekdays that follow", () => {
  const { keys, returns, rows, syntheticRows } = createMarket(rates, realDays + 1000, 1);
  assert.deepEqual([rows, syntheticRows], [realDays + 1000, 1000]);
  const added = Array.from(keys.slice(realDays), (key) => new Date(Number(key / 1000n)));
  assert.equal(added[0]?.toISOString(), "2026-04-14T00:00:00.000Z");
  assert.ok(added.every((day) => day.getUTCDay() >= 1 && day.getUTCDay() <= 5));
  assert.equal(added[999]?.toISOString(), "2030-02-11T00:00:00.000Z");
  // All currencies of an added day repeat one and the same real day, so cross rates stay consistent.
  const [yen, dollar] = [returns("EUR", "JPY"), returns("EUR", "USD")];
  const near = (one: number | undefined, other: number | undefined): boolean =>
    Math.abs((one ?? 9) - (other ?? 0)) < 1e-12;
  for (let row = realDays; row < realDays + 40; row += 1) {
    const twins = [...yen.keys()].filter(
      (day) => day < realDays && near(yen[day], yen[row]) && near(dollar[day], dollar[row]),
    );
    assert.ok(twins.length > 0, `row ${row}`);
  }
});

test("the seed changes the added rows only", () => {
  const [one, same, other] = [1, 1, 2].map((seed) => createMarket(rates, realDays + 60, seed).logRate("AUD", "USD"));
  assert.deepEqual(one, same);
  assert.deepEqual(one?.slice(0, realDays), other?.slice(0, realDays));
  assert.notDeepEqual(one?.slice(realDays), other?.slice(realDays));
});
