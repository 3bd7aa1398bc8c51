import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { parsePrices, sourceOf } from "../../src/cost/prices.ts";
import { priceItems, priceUnits } from "../../src/model/cost.ts";
import { Failure } from "../../src/model/failure.ts";
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

test("everything that is wrong is told at once, with what would be right", () => {
  const prices = {
    cloudRunVcpu: { ...file.prices.cloudRunVcpu, usd: -1 },
    autopilotVcpu: { ...file.prices.autopilotVcpu, per: "vCPU-second" },
    computeVcpu: { usd: 1, per: priceUnits.computeVcpu },
    gold: { usd: 1 },
  };
  const problems = problemsOf(stringify({ ...file, date: "yesterday", prices }));
  const told = problems.map((problem) => `${problem.what} | ${problem.found} | ${problem.fix}`).join("\n");
  assert.equal(problems.length, 5, told);
  assert.match(told, /mine\.yaml: date \| "?yesterday"? \| write the day on which/);
  assert.match(told, /prices\.cloudRunVcpu\.usd \| -1 \| write US dollars for one unit/);
  assert.match(told, /prices\.autopilotVcpu\.per \| "vCPU-second" \| write "vCPU-hour"/);
  assert.match(told, /prices\.computeVcpu\.source \| undefined \| write /);
  assert.match(told, /prices\.gold \| .* \| leave it out, or use one of: cloudRunVcpu, /);
});

test("a text that is not YAML, and one that is not a list", () => {
  assert.match(problemsOf("prices: [")[0]?.what ?? "", /mine\.yaml is not YAML/);
  assert.equal(problemsOf("just words").length, 1);
});
