import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { guardCost, loadPrices } from "../../src/app/reports.ts";
import { Settings } from "../../src/config/settings.ts";
import { GiB } from "../support/run.ts";

const capacity = { ceilingBytes: GiB, parallelism: () => 1, spot: false };
const pairs = [{ pair: "audusd", inputBytes: 1e9 }];

test("a price that is missing is no price of 0: --max-cost refuses to guess", async () => {
  const prices = await loadPrices({});
  const { cloudRunMemory: _, ...rest } = prices.prices;
  const settings = v.parse(Settings, { backend: "cloudrun", input: "gs://bucket/in", output: "gs://bucket/out" });
  const limited = { ...settings, maxCost: 5 };
  assert.ok(guardCost(limited, capacity, 2, prices).estimate(pairs, GiB) > 0);
  const unpriced = { ...prices, prices: rest };
  assert.throws(() => guardCost(limited, capacity, 2, unpriced).estimate(pairs, GiB), {
    exitCode: 2,
    message: /--max-cost cannot be kept.*no price for cloudRunMemory.*--prices/,
  });
  assert.ok(guardCost(settings, capacity, 2, unpriced).estimate(pairs, GiB) > 0, "without a limit it is an estimate");
});
