import type { BackendName } from "../model/backend-name.ts";
import type { AttemptCost, CostLine, PairCost, PriceList, RunCost } from "../model/cost.ts";
import { describeEnding } from "../model/ending.ts";
import {
  type AttemptOutcome,
  attemptSeconds,
  type PairOutcome,
  type RunView,
  type WorkerRecord,
} from "../model/run.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { formatBytes, formatCount } from "../model/units.ts";
import { addSums, priceLine, sumLines } from "./lines.ts";
import { sourceOf } from "./prices.ts";
import { describeBasis, priceUse, ratesOf } from "./rates.ts";

/** What a run has cost so far: every attempt of every pair, and what belongs to the run alone. */
export function costOfRun(view: RunView, list: PriceList): RunCost {
  const pairs = view.pairs.map((pair) => costOfPair(pair, view, list));
  const lines = view.record.backend === "kubernetes" ? [clusterLine(wallSeconds(view), list)] : [];
  return {
    at: view.at,
    prices: sourceOf(list),
    basis: describeBasis(view.record.backend),
    pairs,
    lines,
    estimated: addSums([...pairs.map((pair) => pair.estimated), sumLines(lines)]),
    monthly: sumLines(pairs.flatMap((pair) => pair.monthly ?? [])),
    billed: null,
  };
}

/** Seconds from the first start of an attempt to the last end, or to now while one runs; 0 before the first. */
export function wallSeconds(view: RunView): number {
  const attempts = view.pairs.flatMap((pair) => pair.attempts).filter((attempt) => attempt.start !== undefined);
  if (attempts.length === 0) return 0;
  const first = Math.min(...attempts.map((attempt) => Date.parse(attempt.start ?? view.at)));
  const last = Math.max(...attempts.map((attempt) => Date.parse(attempt.end ?? view.at)));
  return Math.max(0, (last - first) / 1000);
}

/** The cluster's fee for some seconds. */
export function clusterLine(seconds: number, list: PriceList): CostLine {
  const hours = seconds / 3600;
  return priceLine("autopilotCluster", hours, `1 cluster × ${hours.toFixed(3)} h, from first start to last end`, list);
}

function costOfPair(outcome: PairOutcome, view: RunView, list: PriceList): PairCost {
  const { backend, run, output } = view.record;
  const attempts = outcome.attempts.map((attempt) => costOfAttempt(attempt, outcome, view, list));
  const storedBytes = isBucket(output) ? (outcome.output?.sizeBytes ?? 0) : 0;
  return {
    format: 1,
    run,
    pair: outcome.pair,
    backend,
    at: view.at,
    prices: sourceOf(list),
    basis: describeBasis(backend),
    attempts,
    storedBytes,
    ...(storedBytes === 0 ? {} : { monthly: monthlyLine(storedBytes, list) }),
    estimated: addSums(attempts.map((attempt) => attempt.estimated)),
    billed: null,
  };
}

function costOfAttempt(attempt: AttemptOutcome, outcome: PairOutcome, view: RunView, list: PriceList): AttemptCost {
  const record = outcome.records.find((one) => one.attempt === attempt.id);
  const peakBytes = record?.memory.peakBytes;
  const seconds = attemptSeconds(attempt, view.at);
  const chargedBytes = Math.max(attempt.memoryBytes, peakBytes ?? 0);
  const lines = [
    ...computeLines({ ...attempt, memoryBytes: chargedBytes }, seconds, view.record.backend, list),
    ...operationLines(record, list),
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
    estimated: sumLines(lines, unmeasured(record, seconds, view)),
    billed: null,
  };
}

function computeLines(attempt: AttemptOutcome, seconds: number, backend: BackendName, list: PriceList): CostLine[] {
  const rates = ratesOf(backend, attempt.spot);
  if (rates === undefined || seconds === 0) return [];
  return priceUse({ vcpu: attempt.vcpu, memoryBytes: attempt.memoryBytes, seconds }, rates, list);
}

function operationLines(record: WorkerRecord | undefined, list: PriceList): CostLine[] {
  const traffic = record?.result.traffic;
  return traffic === undefined ? [] : priceOperations(traffic.classA, traffic.classB, list);
}

/** Storage operations by class; a class that is not used has no line. */
export function priceOperations(classA: number, classB: number, list: PriceList): CostLine[] {
  const lines = [
    priceLine("storageClassA", classA / 1000, `${formatCount(classA)} class A operations`, list),
    priceLine("storageClassB", classB / 1000, `${formatCount(classB)} class B operations`, list),
  ];
  return lines.filter((line) => line.quantity > 0);
}

/** A month of storage for an output in a bucket. */
export function monthlyLine(bytes: number, list: PriceList): CostLine {
  return priceLine("storageMonth", bytes / 1e9, `${formatBytes(bytes)} × 1 month`, list);
}

/** What an attempt would have been billed for but nobody measured. */
function unmeasured(record: WorkerRecord | undefined, seconds: number, view: RunView): string[] {
  const counts = isBucket(view.record.input) || isBucket(view.record.output);
  if (!counts || seconds === 0 || record?.result.traffic !== undefined) return [];
  return ["no count of storage operations for attempts that left no record"];
}

/** Whether a location lies in Cloud Storage. */
export function isBucket(location: string): boolean {
  return isGcsPath(location);
}
