/** Views of runs, as reports and costs are made from them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parsePrices } from "../../src/cost/prices.ts";
import type { PriceList } from "../../src/model/cost.ts";
import { type Cause, endingOf } from "../../src/model/ending.ts";
import type { ExitCode } from "../../src/model/exit-code.ts";
import { outcomeOf } from "../../src/model/exit-code.ts";
import type { Problem } from "../../src/model/failure.ts";
import type { MemoryRecord } from "../../src/model/measurement.ts";
import type { Attempt, PairOutcome, PairOutput, RunView, WorkerRecord } from "../../src/model/run.ts";
import { defaultPairs } from "../../src/sample/pairs.ts";

export const GiB = 2 ** 30;
export const listPath = "prices/google-us-central1.yaml";
export const googlePrices: PriceList = parsePrices(readFileSync(listPath, "utf8"), listPath);

/** US dollars are sums of products: equal but for rounding. */
export function near(actual: number | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} instead of ${expected}`);
}

const dawn = Date.parse("2026-11-21T06:00:00Z");
/** RFC 3339, so many seconds after six in the morning. */
export const clock = (seconds: number): string => new Date(dawn + seconds * 1000).toISOString();
export const noFailures: Readonly<Record<Cause, number>> = {
  ...{ disruption: 0, transient: 0, memory: 0, input: 0, verification: 0, usage: 0, unexpected: 0 },
};

/** A good attempt on 8 vCPU and 50 GiB, from one second to another. */
export function attemptOf(id: string, from: number, to: number, changes: Partial<Attempt> = {}): Attempt {
  const size = { vcpu: 8, memoryBytes: 50 * GiB };
  return { id, launch: 0, start: clock(from), end: clock(to), ...size, spot: false, exitCode: 0, ...changes };
}

export const outputOf = (aligned: number): PairOutput => ({
  rows: 100_000,
  columns: 17_038,
  sizeBytes: 9_600_000_000,
  inputBytes: 12_000_000_000,
  families: {
    targets: { spliced: 1, aligned: 0 },
    pair: { spliced: 256 - aligned, aligned },
    tri: { spliced: 190, aligned: 4 },
    mkt: { spliced: 10, aligned: 0 },
    var: { spliced: 63, aligned: 0 },
    csi: { spliced: 120, aligned: 24 },
  },
  predictedPeakBytes: 0.9 * GiB,
  // The rows of some tables begin later than those of the targets, or end after them.
  partialTables: Array.from({ length: aligned }, (_, index) => {
    const rowsNullFilled = 500 * (aligned - index - 1);
    return { table: `pair_lag_00${index}`, rowsMatched: 100_000 - rowsNullFilled, rowsNullFilled, rowsDropped: 7 };
  }),
});

/** Memory that rises, holds and falls, up to a peak. */
export function memoryOf(peakBytes: number, ceilingBytes: number, seconds: number): MemoryRecord {
  const samples = Array.from({ length: 100 }, (_, index) => {
    const wave = 0.55 + 0.4 * Math.min(1, index / 20) + 0.05 * Math.sin(index * 0.9 + peakBytes);
    return { seconds: (seconds * index) / 99, bytes: Math.round(peakBytes * Math.min(1, wave)) };
  });
  return { source: "cgroup2", peakBytes, ceilingBytes, warnings: 0, samples };
}

/** The record that the worker of an attempt left. */
export function recordOf(
  attempt: Attempt,
  pair: string,
  peakBytes: number,
  problems: readonly Problem[] = [],
): WorkerRecord {
  const exitCode = (attempt.exitCode ?? 0) as ExitCode;
  const [start, end] = [attempt.start ?? clock(0), attempt.end ?? clock(0)];
  const seconds = (Date.parse(end) - Date.parse(start)) / 1000;
  const memory = memoryOf(Math.round(peakBytes), attempt.memoryBytes, seconds);
  const result = {
    ...{ pair, outcome: outcomeOf[exitCode], exitCode, rows: 100_000, columns: 17_038 },
    tables: { total: 668, spliced: 640, aligned: 28 },
    ...{ partialTables: [], ignored: [] },
    bytes: { read: 12e9, written: 9.6e9 },
    ...{ peakMemoryBytes: peakBytes, predictedPeakBytes: 0.9 * GiB, ceilingBytes: attempt.memoryBytes, seconds },
    ...{ stages: [], output: "", manifest: "", problems },
    traffic: { classA: 1_200, classB: 2_004, free: 1, bytesDown: 12e9, bytesUp: 9.6e9 },
  };
  return { format: 1, run: "2026-11-21-a", attempt: attempt.id, pair, start, end, exitCode, result, memory };
}

/** Attempts with their endings, and the records that some of them left. */
export function endAll(
  attempts: readonly Attempt[],
  records: readonly WorkerRecord[] = [],
): Pick<PairOutcome, "attempts" | "records"> {
  const ended = attempts.map((seen) => {
    const record = records.find(({ attempt }) => attempt === seen.id);
    const left = record && { exitCode: record.exitCode, outcome: record.result.outcome };
    return { ...seen, ending: endingOf({ seen, left }) };
  });
  return { attempts: ended, records };
}

/** A pair that one attempt merged. */
export function donePair(pair: string, from: number, to: number, aligned = 6, peakBytes = 0.7 * GiB): PairOutcome {
  const attempt = attemptOf(`${pair}-0`, from, to);
  const records = [recordOf(attempt, pair, peakBytes)];
  return { pair, state: "done", ...endAll([attempt], records), failures: noFailures, output: outputOf(aligned) };
}

/** A run of these pairs on Kubernetes, with inputs and outputs in a bucket. */
export function viewOf(pairs: readonly PairOutcome[], changes: Partial<RunView["record"]> = {}): RunView {
  const names = pairs.map((pair) => pair.pair);
  const tasks = names.map((pair, index) => ({ index, pair }));
  const launch = {
    run: "2026-11-21-a",
    number: 0,
    tasks,
    ceilingBytes: 50 * GiB,
    parallelism: 9,
    spot: false,
    retries: 3,
  };
  return {
    record: {
      ...{ format: 1, run: "2026-11-21-a", widemerge: "0.1.0", created: clock(-5), backend: "kubernetes" },
      ...{ input: "gs://fx/checkpoints", output: "gs://fx/training", pairs: names, doneBefore: [], cancelled: false },
      handles: [{ backend: "kubernetes", name: "widemerge-2026-11-21-a-0", launch }],
      ...changes,
    },
    at: clock(560),
    pairs,
  };
}

/** The 27 pairs: most merged at the first attempt, one after it ran out of memory, one after a disruption; one with a bad input. */
export function exampleRun(): RunView {
  const pairs = defaultPairs.map((pair, index) => {
    const from = Math.floor(index / 9) * 150 + (index % 9) * 4;
    return donePair(pair, from, from + 95 + ((index * 37) % 50), index % 7, (0.5 + ((index * 13) % 10) / 25) * GiB);
  });
  const change = (pair: string, to: (whole: PairOutcome) => PairOutcome): void => {
    const index = pairs.findIndex((one) => one.pair === pair);
    const whole = pairs[index];
    if (whole !== undefined) pairs[index] = to(whole);
  };
  change("audusd", outOfMemory);
  change("eurjpy", disrupted);
  change("gbpnzd", refused);
  change("chfjpy", running);
  change("cadchf", (whole) => ({ ...whole, state: "done before", attempts: [], records: [] }));
  return viewOf(pairs);
}

function outOfMemory(whole: PairOutcome): PairOutcome {
  const { pair } = whole;
  const first = attemptOf("audusd-0", 10, 64, { memoryBytes: GiB, vcpu: 2, exitCode: 4 });
  const fix = "raise the ceiling to 2 GiB";
  const problem = { what: "memory ceiling reached", found: "993 MiB of 1.00 GiB", fix, table: "csi_rank_101_audusd" };
  const second = attemptOf("audusd-1", 300, 420, { launch: 1 });
  const records = [recordOf(first, pair, 0.97 * GiB, [problem]), recordOf(second, pair, 1.21 * GiB)];
  return { ...whole, ...endAll([first, second], records), failures: { ...noFailures, memory: 1 } };
}

function disrupted(whole: PairOutcome): PairOutcome {
  const { pair } = whole;
  const { exitCode: _, ...first } = attemptOf("eurjpy-0", 12, 71, {
    reason: "DisruptionTarget",
    signal: "SIGTERM",
    spot: true,
  });
  const second = attemptOf("eurjpy-1", 80, 190);
  return {
    ...whole,
    ...endAll([first, second], [recordOf(second, pair, 0.66 * GiB)]),
    failures: { ...noFailures, disruption: 1 },
  };
}

function refused({ output: _, ...whole }: PairOutcome): PairOutcome {
  const { pair } = whole;
  const attempt = attemptOf("gbpnzd-0", 160, 163, { exitCode: 3 });
  const problems = [
    {
      what: "table missing",
      found: "no mkt_mean_003_gbpnzd.parquet",
      fix: "extract it again",
      table: "mkt_mean_003_gbpnzd",
    },
    {
      what: "duplicate keys",
      found: "77,748 rows share a key",
      fix: "extract it again, or set --duplicates",
      table: "csi_mean_017_gbpnzd",
    },
  ];
  const records = [recordOf(attempt, pair, 0.1 * GiB, problems)];
  const why = "its input was refused: 2 problems, the first: table missing";
  return { ...whole, state: "failed", ...endAll([attempt], records), failures: { ...noFailures, input: 1 }, why };
}

function running(whole: PairOutcome): PairOutcome {
  const { end: _, exitCode: __, ...attempt } = attemptOf(`${whole.pair}-0`, 480, 480);
  const progress = { tablesDone: 412, tables: 668, workingSetBytes: Math.round(0.63 * GiB) };
  const { output: ___, ...rest } = whole;
  return { ...rest, state: "running", ...endAll([attempt]), progress };
}
