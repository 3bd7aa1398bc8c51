import { findAlternatives } from "../cost/alternatives.ts";
import { rightSize } from "../cost/right-size.ts";
import { costOfRun, indexPairCosts, wallSeconds } from "../cost/run-cost.ts";
import type { PriceList } from "../model/cost.ts";
import { describeEnding } from "../model/ending.ts";
import type { Problem } from "../model/failure.ts";
import { largest } from "../model/numbers.ts";
import { nameOutputs } from "../model/output-names.ts";
import type { MemoryTrace, Report, ReportPair } from "../model/report.ts";
import { attemptPeak, type PairOutcome, type PairOutput, type RunRecord, type RunView } from "../model/run.ts";

/** The report of a run at one moment, with its costs by a price list. */
export function buildReport(view: RunView, list: PriceList): Report {
  const { record } = view;
  const cost = costOfRun(view, list);
  const right = rightSize(view, list);
  const { pairs: _, ...costWithoutPairs } = cost;
  const costOf = indexPairCosts(cost);
  const pairs = view.pairs.map((outcome) => buildPair(outcome, costOf(outcome.pair)));
  return {
    format: 1,
    widemerge: record.widemerge,
    run: record.run,
    backend: record.backend,
    input: record.input,
    output: record.output,
    created: record.created,
    at: view.at,
    ...(record.finished === undefined ? {} : { finished: record.finished }),
    cancelled: record.cancelled,
    settings: listSettings(record),
    totals: buildTotals(view, pairs),
    pairs,
    cost: costWithoutPairs,
    alternatives: findAlternatives(view, list, right),
    ...(right === undefined ? {} : { rightSize: right }),
  };
}

/** What the run was started or last continued with. Records of version 0.1.0 have fewer settings. */
function listSettings({ settings, completeness, policy, handles }: RunRecord): Report["settings"] {
  const { ceilingBytes, ...retries } = policy ?? {};
  const launches = handles.map(({ launch }) => launch);
  return {
    ...settings,
    ...completeness,
    ...(ceilingBytes === undefined ? {} : { memoryCeiling: ceilingBytes }),
    ...retries,
    ...(launches.length > 0 && { parallelism: largest(launches.map(({ parallelism }) => parallelism)) }),
    ...(launches.some(({ spot }) => spot) && { spot: true }),
  };
}

function buildPair(outcome: PairOutcome, cost: ReportPair["cost"]): ReportPair {
  const { pair, state, why, output, attempts, records, failures } = outcome;
  const peaks = attempts.flatMap((attempt) => attemptPeak(attempt, records) ?? []);
  const last = records.at(-1);
  const families = output === undefined ? [] : listFamilies([output]);
  return {
    pair,
    state,
    ...(why === undefined ? {} : { why }),
    ...(output === undefined ? {} : { output: describeOutput(pair, output, families) }),
    tables: sumFamilies(families),
    seconds: cost.attempts.reduce((sum, attempt) => sum + attempt.seconds, 0),
    ...(peaks.length === 0 ? {} : { peakBytes: largest(peaks) }),
    ...(last === undefined ? {} : { ceilingBytes: last.memory.ceilingBytes }),
    failures: { ...failures },
    problems: findProblems(outcome),
    memory: traceMemory(outcome),
    cost,
  };
}

function describeOutput(pair: string, output: PairOutput, families: Families): NonNullable<ReportPair["output"]> {
  const { output: name, manifest } = nameOutputs(pair);
  return { ...output, name, manifest, predictedPeakBytes: Math.round(output.predictedPeakBytes), families };
}

/** What the last attempt that failed with problems found. */
function findProblems({ attempts, records }: PairOutcome): readonly Problem[] {
  const failed = attempts.filter(({ ending }) => ending.kind === "failed");
  const found = failed.map(({ id, outcome }) => {
    const record = records.find(({ attempt }) => attempt === id);
    return record?.result.problems ?? outcome?.problems ?? [];
  });
  return found.findLast((problems) => problems.length > 0) ?? [];
}

function traceMemory(outcome: PairOutcome): MemoryTrace[] {
  return outcome.attempts.flatMap(({ id, ending }) => {
    const record = outcome.records.find(({ attempt }) => attempt === id);
    if (record === undefined) return [];
    const { source, peakBytes, ceilingBytes, warnings, samples } = record.memory;
    const points = samples.map((sample): [number, number] => [sample.seconds, sample.bytes]);
    return [{ attempt: id, ended: describeEnding(ending), source, peakBytes, ceilingBytes, warnings, samples: points }];
  });
}

function buildTotals(view: RunView, pairs: readonly ReportPair[]): Report["totals"] {
  const outputs = view.pairs.flatMap((pair) => pair.output ?? []);
  const families = listFamilies(outputs);
  const total = (of: (pair: ReportPair) => number): number => pairs.reduce((sum, pair) => sum + of(pair), 0);
  return {
    pairs: pairs.length,
    states: addCounts(pairs.map((pair) => ({ [pair.state]: 1 }))),
    attempts: total((pair) => pair.cost.attempts.length),
    failures: addCounts(pairs.map((pair) => pair.failures)),
    tables: sumFamilies(families),
    families,
    inputBytes: total((pair) => pair.output?.inputBytes ?? 0),
    outputBytes: total((pair) => pair.output?.sizeBytes ?? 0),
    peakBytes: largest(pairs.map((pair) => pair.peakBytes ?? 0)),
    wallSeconds: wallSeconds(view),
    attemptSeconds: total((pair) => pair.seconds),
  };
}

type Families = Report["totals"]["families"];

/** The families of all outputs, by name. */
function listFamilies(outputs: readonly PairOutput[]): Families {
  const sums = new Map<string, { spliced: number; aligned: number }>();
  for (const [family, { spliced, aligned }] of outputs.flatMap(({ families }) => Object.entries(families))) {
    const sum = sums.get(family) ?? { spliced: 0, aligned: 0 };
    sums.set(family, { spliced: sum.spliced + spliced, aligned: sum.aligned + aligned });
  }
  return [...sums.keys()].sort().map((family) => ({ family, spliced: 0, aligned: 0, ...sums.get(family) }));
}

function sumFamilies(families: Families): { spliced: number; aligned: number } {
  return {
    spliced: families.reduce((sum, family) => sum + family.spliced, 0),
    aligned: families.reduce((sum, family) => sum + family.aligned, 0),
  };
}

/** Adds up counts by name. Counts of 0 are left out. */
function addCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts.flatMap((one) => Object.entries(one))) {
    if (count > 0) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}
