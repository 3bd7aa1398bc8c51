import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { guardCost } from "../../src/app/cost-guard.ts";
import { loadPrices } from "../../src/app/prices.ts";
import { Settings } from "../../src/config/settings.ts";
import { GiB } from "../support/run.ts";

const platform = { capacity: { ceilingBytes: GiB, parallelism: () => 1, spot: false }, vcpu: 2 };
const pairs = [{ pair: "audusd", inputBytes: 1e9 }];

test("a missing price is not a price of 0: --max-cost refuses to guess", async () => {
  const prices = await loadPrices({});
  const { cloudRunMemory: _, ...rest } = prices.prices;
  const settings = v.parse(Settings, { backend: "cloudrun", input: "gs://bucket/in", output: "gs://bucket/out" });
  const limited = { ...settings, maxCost: 5 };
  assert.ok(guardCost({ settings: limited, platform, prices }).estimate(pairs, GiB) > 0);
  const unpriced = { ...prices, prices: rest };
  assert.throws(() => guardCost({ settings: limited, platform, prices: unpriced }).estimate(pairs, GiB), {
    exitCode: 2,
    message: /--max-cost cannot be kept.*no price for cloudRunMemory.*--prices/,
  });
  assert.ok(
    guardCost({ settings, platform, prices: unpriced }).estimate(pairs, GiB) > 0,
    "without a limit it is an estimate",
  );
});
