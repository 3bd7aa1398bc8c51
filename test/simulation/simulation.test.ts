/**
 * Thousands of runs in virtual time, each made by one seed: lost and late requests, killed, suspended and interrupted
 * controllers, wrong clocks, disruptions, workers out of memory. A failure prints the seed that replays it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Mutation, simulate } from "./simulate.ts";

/** `make simulate SEEDS=…` runs more. */
const seeds = 3000;
const chunk = 500;

describe("a run keeps its promises whatever happens", () => {
  for (let first = 1; first <= seeds; first += chunk)
    it(`seeds ${first} to ${first + chunk - 1}`, async () => {
      for (let seed = first; seed < first + chunk; seed += 1) await simulate(seed);
    });

  it("and the seeds do reach what they are for", async () => {
    const sum = { generations: 0, superseded: 0, starts: 0 };
    for (let seed = 1; seed <= 200; seed += 1) {
      const { generations, superseded, starts } = await simulate(seed);
      sum.generations += generations;
      sum.superseded += superseded;
      sum.starts += starts;
    }
    assert.ok(sum.generations > 300 && sum.superseded > 10 && sum.starts > 600, JSON.stringify(sum));
  });

  it("a seed gives the same run every time", async () => {
    for (const seed of [3, 4]) assert.deepEqual(await simulate(seed), await simulate(seed));
  });
});

/** The first seed whose run is broken without one of the safeguards, and what the simulation says of it. */
async function findBroken(mutation: Mutation, most: number): Promise<string> {
  for (let seed = 1; seed <= most; seed += 1) {
    try {
      await simulate(seed, mutation);
    } catch (error) {
      return String(error);
    }
  }
  assert.fail(`${most} seeds found nothing wrong`);
}

describe("the simulation finds what is wrong without", () => {
  const mutations: readonly (readonly [about: string, Mutation, RegExp])[] = [
    ["leases that are judged by heartbeats alone", "lease by clocks", /took the lease of|not finished after/],
    ["conditional writes", "unconditional writes", /took the lease of|of generation \d+ over \d+|which is that of/],
    ["workers that ask for their place", "workers unasked", /was replaced and read/],
  ];
  for (const [about, mutation, expected] of mutations)
    it(about, async () => {
      const found = await findBroken(mutation, 1000);
      assert.match(found, expected);
      assert.match(found, /replay it: SEED=\d+/);
    });
});
