import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { autopilot, autopilotSpot, chargedSeconds, cloudRun, priceCompute, type Rates } from "../src/cost/compute.ts";
import { priceCluster, priceOperations, priceStorage, sumLines } from "../src/cost/cost-lines.ts";
import { parsePrices } from "../src/cost/prices.ts";
import type { PriceList } from "../src/model/cost.ts";
import { formatCount, GiB } from "../src/model/units.ts";
import type { BucketResults, BucketRun } from "./bucket-report.ts";
import { renderTable, renderVerdicts, verdict } from "./page.ts";
import { median } from "./statistics.ts";
import { here } from "./workspace.ts";

/**
 * Prices the 27 pairs: the latest measurements in a bucket (bench/results/bucket.json), with the project's own price list
 * and rules. The variable PRICES names another list.
 */

/** A size on a service. */
interface Offer {
  readonly name: string;
  readonly rates: Rates;
  readonly vcpu: number;
  readonly gib: number;
  /** Whether a cluster's fee is added. */
  readonly cluster: boolean;
  /** Virtual CPUs of the controller. Its memory is 0.5 GiB. */
  readonly controller: number;
}

const pairs = 27;
const limitUsd = 0.1;
/** Size of one output of 100,000 rows and 17,038 columns, in bytes: bench/results/full-aligned.md. */
const outputBytes = 13.6e9;
const offers: readonly Offer[] = [
  { name: "Cloud Run, 2 vCPU, 2 GiB", rates: cloudRun, vcpu: 2, gib: 2, cluster: false, controller: 1 },
  { name: "Cloud Run, 1 vCPU, 2 GiB", rates: cloudRun, vcpu: 1, gib: 2, cluster: false, controller: 1 },
  { name: "Autopilot, 2 vCPU, 2 GiB", rates: autopilot, vcpu: 2, gib: 2, cluster: true, controller: 0.25 },
  { name: "Autopilot, 8 vCPU, 50 GiB", rates: autopilot, vcpu: 8, gib: 50, cluster: true, controller: 0.25 },
  { name: "Autopilot Spot, 8 vCPU, 50 GiB", rates: autopilotSpot, vcpu: 8, gib: 50, cluster: true, controller: 0.25 },
];

const results: BucketResults = JSON.parse(readFileSync(join(here, "results/bucket.json"), "utf8"));
const prices = process.env.PRICES ?? join(here, "../prices/google-us-central1.yaml");
const page = render(results, parsePrices(readFileSync(prices, "utf8"), prices));
process.stdout.write(page);
writeFileSync(join(here, "results/cost.md"), page);

function render({ compose, misaligned, stream, machine, date, rounds }: BucketResults, list: PriceList): string {
  const parts = { "all tables spliced": compose.runs, "10% of the tables aligned": misaligned.runs };
  const rows = Object.entries(parts).flatMap(([name, runs]) =>
    offers.map((offer) => describe(name, offer, runs, list)),
  );
  const worst = Math.max(...Object.values(parts).map((runs) => costOf(offers[0], runs, list)));
  const month = sumLines([priceStorage(pairs * outputBytes, list)]);
  return [
    `# Cost of ${pairs} pairs`,
    "",
    `Price list: ${list.name} of ${list.date}. Use: ${pairs} times one pair of bench/results/bucket.md (${date}, ${machine.cores} cores, medians of ${rounds} runs; 668 tables, 17,038 columns, 10,000 rows), composed in one bucket, and the controller. Time is wall time against an emulator, which copies bytes to compose, so it is too long; Cloud Storage composes without copying. With 100,000 rows, key columns are ten times larger. That adds ${tenfold(compose.runs, compose.need.keyChunks)} The number of operations does not depend on the number of rows.`,
    "",
    ...renderVerdicts([
      verdict(`${pairs} pairs, composed on Cloud Run`, `≤ ${usd(limitUsd)}`, usd(worst), worst <= limitUsd),
    ]),
    ...renderTable(
      ["", "where", "seconds per pair", "charged", "operations A / B", "compute", "operations", `${pairs} pairs`],
      rows,
    ),
    "",
    `Storage of the outputs: ${pairs} × ${outputBytes / 1e9} GB at 100,000 rows cost $${month.usd.toFixed(2)} per month. Streamed instead of composed, every byte passes through the worker: ${median(stream.runs.map(({ seconds }) => seconds)).toFixed(1)} s for ${(stream.bytes / 1e9).toFixed(1)} GB here.`,
    "",
  ].join("\n");
}

/** The time that larger key columns take at 50 MB/s. */
function tenfold(runs: readonly BucketRun[], keyBytes: number): string {
  const more = (9 * keyBytes) / 50e6;
  const seconds = median(runs.map((run) => run.seconds)) + more;
  const charged = chargedSeconds(seconds, cloudRun);
  const both = `${more.toFixed(0)} s at 50 MB/s: ${seconds.toFixed(0)} s in total`;
  return `${both}, of which Cloud Run charges ${charged.toFixed(0)} s.`;
}

function describe(name: string, offer: Offer, runs: readonly BucketRun[], list: PriceList): string[] {
  const seconds = median(runs.map((run) => run.seconds));
  const [classA, classB] = operationsOf(runs);
  return [
    name,
    offer.name,
    `${seconds.toFixed(1)} s`,
    `${chargedSeconds(seconds, offer.rates).toFixed(1)} s`,
    `${formatCount(classA)} / ${formatCount(classB)}`,
    usd(computeOf(offer, runs, list)),
    usd(pairs * sumLines(priceOperations(classA, classB, list)).usd),
    usd(costOf(offer, runs, list)),
  ];
}

function costOf(offer: Offer | undefined, runs: readonly BucketRun[], list: PriceList): number {
  if (offer === undefined) return 0;
  return computeOf(offer, runs, list) + pairs * sumLines(priceOperations(...operationsOf(runs), list)).usd;
}

/** All pairs run at the same time, so the controller and the cluster's fee are charged for the time of one pair. */
function computeOf(offer: Offer, runs: readonly BucketRun[], list: PriceList): number {
  const seconds = median(runs.map((run) => run.seconds));
  const use = { vcpu: offer.vcpu, memoryBytes: offer.gib * GiB, seconds };
  const fee = offer.cluster ? sumLines([priceCluster(seconds, list)]).usd : 0;
  const controller = { vcpu: offer.controller, memoryBytes: GiB / 2, seconds };
  return (
    pairs * sumLines(priceCompute(use, offer.rates, list)).usd +
    sumLines(priceCompute(controller, offer.rates, list)).usd +
    fee
  );
}

function usd(amount: number): string {
  return `$${amount.toFixed(4)}`;
}

function operationsOf(runs: readonly BucketRun[]): [number, number] {
  const middle = (field: "classA" | "classB") => median(runs.map(({ traffic }) => traffic[field]));
  return [middle("classA"), middle("classB")];
}
