import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { guardCost } from "../../src/app/cost-guard.ts";
import { loadPrices } from "../../src/app/prices.ts";
import { Settings } from "../../src/config/settings.ts";
import type { RunView } from "../../src/model/run.ts";
import { composeView } from "../../src/run/outcomes.ts";
import { GiB, makeAttempt, makeFacts, makeLaunch, makeRecord, makeStatus } from "../support/run.ts";

const platform = { capacity: { ceilingBytes: GiB, workers: 27, spot: false }, vcpu: 2 };
const start = { pair: "audusd", inputBytes: 60e9, ceilingBytes: GiB, spot: false };
const began = "2026-11-21T06:00:00.000Z";

/** A run of one pair, whose attempt has been at work for so long. */
function viewAfter(seconds: number): RunView {
  const at = new Date(Date.parse(began) + seconds * 1000).toISOString();
  const attempts = [makeAttempt({ start: began })];
  const launches = [
    { launch: makeLaunch(["audusd"]), statuses: [makeStatus("audusd", { state: "running", attempts })] },
  ];
  const record = makeRecord(["audusd"], { backend: "cloudrun" });
  return composeView(makeFacts({ record, launches }), at);
}

test("a missing price is not a price of 0: --max-cost refuses to guess", async () => {
  const prices = await loadPrices({});
  const { cloudRunMemory: _, ...rest } = prices.prices;
  const settings = v.parse(Settings, { backend: "cloudrun", input: "gs://bucket/in", output: "gs://bucket/out" });
  const limited = { ...settings, maxCost: 5 };
  assert.ok(guardCost({ settings: limited, platform, prices }).remaining(viewAfter(0), [], [start]) > 0);
  const unpriced = { ...prices, prices: rest };
  assert.throws(
    () => guardCost({ settings: limited, platform, prices: unpriced }).remaining(viewAfter(0), [], [start]),
    {
      exitCode: 2,
      message: /--max-cost needs a price.*no price for cloudRunMemory.*--prices/,
    },
  );
  assert.ok(
    guardCost({ settings, platform, prices: unpriced }).remaining(viewAfter(0), [], [start]) > 0,
    "without a limit it is an estimate",
  );
});

test("a start costs its estimate; one at work costs that less what it has cost so far", async () => {
  const prices = await loadPrices({});
  const settings = v.parse(Settings, { backend: "cloudrun", input: "in", output: "out" });
  const guard = guardCost({ settings, platform, prices });
  const one = guard.remaining(viewAfter(0), [], [start]);
  const other = { ...start, pair: "eurusd" };
  assert.ok(Math.abs(guard.remaining(viewAfter(0), [start], [other]) - 2 * one) < 1e-9);
  const spent = guard.spent(viewAfter(80));
  assert.ok(spent > 0 && spent < one, `${spent} of ${one}`);
  assert.ok(Math.abs(guard.remaining(viewAfter(80), [start], [other]) - (2 * one - spent)) < 1e-9);
  const overrun = guard.remaining(viewAfter(1e6), [start], [other]);
  assert.ok(Math.abs(overrun - one) < 1e-9, "a pair that has cost more than its estimate makes no other one cheaper");
});
