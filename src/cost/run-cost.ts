import type { BackendName } from "../model/backend-name.ts";
import type { AttemptCost, CostLine, PairCost, PriceList, RunCost } from "../model/cost.ts";
import { describeEnding } from "../model/ending.ts";
import { largest, smallest } from "../model/numbers.ts";
import {
  type AttemptOutcome,
  attemptPeak,
  attemptSeconds,
  type PairOutcome,
  type RunView,
  type WorkerRecord,
} from "../model/run.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { type ComputeUse, describeBasis, priceCompute, ratesOf } from "./compute.ts";
import { addSums, priceCluster, priceOperations, priceStorage, sumLines } from "./cost-lines.ts";
import { sourceOf } from "./prices.ts";

/** What a run has cost so far: every attempt of every pair, and what belongs to the run alone. */
export function costOfRun(view: RunView, list: PriceList): RunCost {
  const pairs = view.pairs.map((pair) => costOfPair(pair, view, list));
  const lines = view.record.backend === "kubernetes" ? [priceCluster(wallSeconds(view), list)] : [];
  return {
    at: view.at,
    prices: sourceOf(list),
    basis: describeRunBasis(view.record.backend),
    pairs,
    lines,
    estimated: addSums([...pairs.map((pair) => pair.estimated), sumLines(lines)]),
    monthly: sumLines(pairs.flatMap((pair) => pair.monthly ?? [])),
    billed: null,
  };
}

/** Whether a run has costs: one on this machine has none, unless it uses a bucket. */
export function hasCosts(
  backend: BackendName,
  { estimated, monthly }: Pick<RunCost, "estimated" | "monthly">,
): boolean {
  return backend !== "local" || [estimated, monthly].some(({ usd, missing }) => usd > 0 || missing.length > 0);
}

/** Seconds from the first start of an attempt to the last end, or to now while one runs; 0 before the first. */
export function wallSeconds(view: RunView): number {
  const attempts = view.pairs.flatMap((pair) => pair.attempts).filter((attempt) => attempt.start !== undefined);
  if (attempts.length === 0) return 0;
  const first = smallest(attempts.map((attempt) => Date.parse(attempt.start ?? view.at)));
  const last = largest(attempts.map((attempt) => Date.parse(attempt.end ?? view.at)));
  return Math.max(0, (last - first) / 1000);
}

/** The costs of a run's pairs, by name. */
export function indexPairCosts(cost: RunCost): (pair: string) => PairCost {
  const costs = new Map(cost.pairs.map((one) => [one.pair, one]));
  return (pair) => {
    const found = costs.get(pair);
    if (found === undefined) throw new Error(`pair ${pair} has no cost`);
    return found;
  };
}

function describeRunBasis(backend: BackendName): string {
  return `${describeBasis(backend)} Failed attempts are included.`;
}

function costOfPair(outcome: PairOutcome, view: RunView, list: PriceList): PairCost {
  const { backend, run, output } = view.record;
  const attempts = outcome.attempts.map((attempt) => costOfAttempt(attempt, outcome, view, list));
  const storedBytes = isGcsPath(output) ? (outcome.output?.sizeBytes ?? 0) : 0;
  return {
    format: 1,
    run,
    pair: outcome.pair,
    backend,
    at: view.at,
    prices: sourceOf(list),
    basis: describeRunBasis(backend),
    attempts,
    storedBytes,
    ...(storedBytes === 0 ? {} : { monthly: priceStorage(storedBytes, list) }),
    estimated: addSums(attempts.map((attempt) => attempt.estimated)),
    billed: null,
  };
}

function costOfAttempt(attempt: AttemptOutcome, outcome: PairOutcome, view: RunView, list: PriceList): AttemptCost {
  const record = outcome.records.find((one) => one.attempt === attempt.id);
  const peakBytes = attemptPeak(attempt, outcome.records);
  const seconds = attemptSeconds(attempt, view.at);
  const chargedBytes = Math.max(attempt.memoryBytes, peakBytes ?? 0);
  const use = { vcpu: attempt.vcpu, memoryBytes: chargedBytes, seconds };
  const lines = [
    ...priceWorker(use, attempt.spot, view.record.backend, list),
    ...priceTraffic(record?.result.traffic, list),
  ];
  return {
    id: attempt.id,
    launch: attempt.launch,
    ...(attempt.start === undefined ? {} : { start: attempt.start }),
    ...(attempt.end === undefined ? {} : { end: attempt.end }),
    seconds,
    ended: describeEnding(attempt.ending),
    vcpu: attempt.vcpu,
    requestedBytes: attempt.memoryBytes,
    ...(peakBytes === undefined ? {} : { peakBytes }),
    chargedBytes,
    spot: attempt.spot,
    lines,
    estimated: sumLines(lines, listUnmeasured(record, seconds, view)),
    billed: null,
  };
}

function priceWorker(use: ComputeUse, spot: boolean, backend: BackendName, list: PriceList): CostLine[] {
  const rates = ratesOf(backend, spot);
  return rates === undefined || use.seconds === 0 ? [] : priceCompute(use, rates, list);
}

function priceTraffic(traffic: WorkerRecord["result"]["traffic"], list: PriceList): CostLine[] {
  return traffic === undefined ? [] : priceOperations(traffic.classA, traffic.classB, list);
}

/** What an attempt is billed for although nobody measured it. */
function listUnmeasured(record: WorkerRecord | undefined, seconds: number, view: RunView): string[] {
  const usesBucket = isGcsPath(view.record.input) || isGcsPath(view.record.output);
  if (!usesBucket || seconds === 0 || record?.result.traffic !== undefined) return [];
  return ["storage operations of attempts that left no record"];
}
