/**
 * Simulates many runs, each made by one seed, and prints every seed whose run breaks a promise.
 *   SEEDS=50000   so many seeds (50,000 unless told), beginning with FROM (1)
 *   SEED=17       this seed alone, with SIMULATE_LOG=all everything that happens in it
 */
import { simulate } from "../test/simulation/simulate.ts";

const { SEED, FROM = "1", SEEDS = "50000" } = process.env;
const [first, count] = SEED === undefined ? [Number(FROM), Number(SEEDS)] : [Number(SEED), 1];
const start = performance.now();
const broken: number[] = [];
const sums = { virtualSeconds: 0, controllers: 0, generations: 0, starts: 0, superseded: 0 };

for (let seed = first; seed < first + count; seed += 1) {
  try {
    const summary = await simulate(seed);
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += summary[name];
  } catch (error) {
    broken.push(seed);
    console.error(error instanceof Error ? error.message : error);
  }
}

const seconds = (performance.now() - start) / 1000;
console.log(
  `${count} seeds in ${seconds.toFixed(0)} s (${(count / seconds).toFixed(0)} seeds/s): ${sums.controllers} controllers, ${sums.generations} takeovers and beginnings, ${sums.superseded} superseded controllers, ${sums.starts} workers, ${Math.round(sums.virtualSeconds / 3600)} hours of virtual time`,
);
console.log(broken.length === 0 ? "every promise was kept" : `broken: ${broken.length} seeds: ${broken.join(" ")}`);
process.exitCode = broken.length === 0 ? 0 : 1;
