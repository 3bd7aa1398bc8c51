import assert from "node:assert/strict";
import { test } from "node:test";
import { toLaunch } from "../../src/run/launch.ts";
import { GiB } from "../support/run.ts";

test("spot capacity is for the first launch alone", () => {
  const wave = { pairs: ["audusd", "eurjpy"], ceilingBytes: GiB };
  const shape = { run: "run", parallelism: 2, retries: 3 };
  const spots = [0, 1, 2].map((number) => toLaunch(wave, { ...shape, number, spot: true }).spot);
  assert.deepEqual(spots, [true, false, false]);
  assert.equal(toLaunch(wave, { ...shape, number: 0, spot: false }).spot, false);
});

test("a launch numbers its pairs in their order", () => {
  const wave = { pairs: ["eurjpy", "audusd"], ceilingBytes: GiB };
  const { tasks, ceilingBytes } = toLaunch(wave, { run: "run", number: 1, parallelism: 2, spot: false, retries: 3 });
  assert.deepEqual(tasks, [
    { index: 0, pair: "eurjpy" },
    { index: 1, pair: "audusd" },
  ]);
  assert.equal(ceilingBytes, GiB);
});
