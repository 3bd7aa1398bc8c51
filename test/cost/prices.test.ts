import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { parsePrices, sourceOf } from "../../src/cost/prices.ts";
import { priceItems, priceUnits } from "../../src/model/cost.ts";
import { describeProblem, Failure } from "../../src/model/failure.ts";
import { googlePrices, listPath } from "../support/run-view.ts";

const file = parse(readFileSync(listPath, "utf8"));

function problemsOf(text: string): Failure["problems"] {
  try {
    parsePrices(text, "mine.yaml");
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.exitCode, 2);
    return error.problems;
  }
  return assert.fail("nothing was found wrong");
}

test("the list that is shipped: every item, dated, with a source; the inferred ones are named", () => {
  assert.deepEqual(Object.keys(googlePrices.prices).toSorted(), [...priceItems].toSorted());
  assert.equal(googlePrices.date, "2026-11-21");
  assert.deepEqual(sourceOf(googlePrices).inferred, [
    "cloudRunMemory",
    "autopilotSpotVcpu",
    "autopilotSpotMemory",
    "autopilotSpotEphemeral",
  ]);
  for (const item of priceItems)
    assert.match(googlePrices.prices[item]?.source ?? "", /^https:\/\/cloud\.google\.com\//);
});

test("n2-highmem-8 is about $0.524 an hour with it", () => {
  const { computeVcpu, computeMemory } = googlePrices.prices;
  assert.equal((8 * (computeVcpu?.usd ?? 0) + 64 * (computeMemory?.usd ?? 0)).toFixed(3), "0.524");
});

test("a list with some items only is a list", () => {
  const text = stringify({ ...file, prices: { bigqueryScan: file.prices.bigqueryScan } });
  assert.deepEqual(Object.keys(parsePrices(text, "mine.yaml").prices), ["bigqueryScan"]);
});

test("every problem at once, each with what to do", () => {
  const prices = {
    cloudRunVcpu: { ...file.prices.cloudRunVcpu, usd: -1, euro: 1 },
    autopilotVcpu: { ...file.prices.autopilotVcpu, per: "vCPU-second" },
    computeVcpu: { usd: 1, per: priceUnits.computeVcpu },
    computeMemory: 5,
    gold: { usd: 1 },
  };
  const problems = problemsOf(stringify({ ...file, date: "yesterday", prices, owner: "me" }));
  assert.deepEqual(problems.map(describeProblem), [
    'price list mine.yaml: date is wrong: found "yesterday"; write the day on which the prices were read, such as 2026-11-21',
    "price list mine.yaml: prices.cloudRunVcpu.usd is wrong: found -1; write US dollars for one unit, 0 or more",
    "price list mine.yaml: prices.cloudRunVcpu.euro is unknown: remove it, or use one of: usd, per, source, inferred",
    'price list mine.yaml: prices.autopilotVcpu.per is wrong: found "vCPU-second"; write "vCPU-hour"',
    "price list mine.yaml: prices.computeVcpu.source is missing: add it",
    "price list mine.yaml: prices.computeMemory is wrong: found 5; write prices.computeMemory as entries with names",
    `price list mine.yaml: prices.gold is unknown: remove it, or use one of: ${priceItems.join(", ")}`,
    "price list mine.yaml: owner is unknown: remove it, or use one of: format, name, region, date, prices",
  ]);
});

test("a text that is not YAML, and one that is not a list", () => {
  assert.match(problemsOf("prices: [")[0]?.what ?? "", /mine\.yaml is not YAML/);
  for (const text of ["just words", ""])
    assert.deepEqual(problemsOf(text).map(describeProblem), [
      "price list mine.yaml has no entries: write format, name, region, date, prices, as in prices/google-us-central1.yaml",
    ]);
});
