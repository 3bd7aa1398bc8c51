import type { PriceList, RightSize, Sum } from "../model/cost.ts";
import { stopShare } from "../model/guard.ts";
import { largest } from "../model/numbers.ts";
import { type AttemptOutcome, attemptPeak, type PairOutcome, type RunView } from "../model/run.ts";
import { formatMemory } from "../model/units.ts";
import { priceCompute, ratesOf } from "./compute.ts";
import { sumLines } from "./cost-lines.ts";
import { fitSize, type Size } from "./machine-sizes.ts";
import { largestRequest, listMerges, type Merge } from "./merges.ts";

/** Room above the largest measured working set: the guard slows a merge down from 90% of its ceiling on. */
const headroom = 1.25;
/** The smallest machine on which the merge has been measured. */
const leastVcpu = 2;

/** What the next run should request, and what that saves; undefined while no pair has ended well. */
export function rightSize(view: RunView, list: PriceList): RightSize | undefined {
  const merges = listMerges(view);
  const peakBytes = findPeak(view, () => true);
  if (merges.length === 0 || peakBytes === 0) return undefined;
  const { backend } = view.record;
  const requested = largestRequest(merges);
  const measuredBytes = findPeak(view, hasMerged);
  const needed = measuredBytes === 0 ? requested : findNeed(view, measuredBytes, requested);
  const recommended = fitSize(backend, needed);
  if (recommended === undefined) return undefined;
  const priceAs = (sized: (merge: Merge) => Merge): Sum =>
    sumLines(
      merges.map(sized).flatMap((merge) => {
        const rates = ratesOf(backend, merge.spot);
        return rates === undefined ? [] : priceCompute(merge, rates, list);
      }),
    );
  return {
    requested,
    peakBytes,
    recommended,
    reason: explain(view, measuredBytes, requested, recommended),
    before: priceAs((merge) => merge),
    after: priceAs((merge) => ({ ...merge, ...recommended })),
  };
}

/** The largest working set of some attempts; 0 if none was measured. */
function findPeak(view: RunView, includes: (attempt: AttemptOutcome) => boolean): number {
  const peaks = view.pairs.flatMap(({ attempts, records }) =>
    attempts.filter(includes).map((attempt) => attemptPeak(attempt, records) ?? 0),
  );
  return largest(peaks);
}

/** An attempt that found its pair already done used little memory, which says nothing about a merge. */
function hasMerged({ ending }: AttemptOutcome): boolean {
  return ending.kind !== "done" || ending.word !== "already done";
}

function findNeed(view: RunView, measuredBytes: number, requested: Size): Size {
  return { vcpu: findVcpuNeed(view, requested), memoryBytes: findMemoryNeed(view, measuredBytes) };
}

/** Covers the measured peak, the predicted peaks, and every ceiling that a pair exceeded without succeeding later. */
function findMemoryNeed(view: RunView, measuredBytes: number): number {
  const predicted = view.pairs.map((pair) => (pair.output?.predictedPeakBytes ?? 0) / stopShare);
  const exceeded = view.pairs.filter((pair) => pair.state !== "done" && pair.failures.memory > 0).flatMap(listCeilings);
  return largest([measuredBytes * headroom, ...predicted, ...exceeded.map((bytes) => bytes * headroom)]);
}

function listCeilings(pair: PairOutcome): number[] {
  return pair.attempts.map((attempt) => attempt.memoryBytes);
}

/** CPUs that were requested only because the memory needed them are not requested again. */
function findVcpuNeed(view: RunView, requested: Size): number {
  const { backend } = view.record;
  if (backend === "local") return requested.vcpu;
  const least = fitSize(backend, { vcpu: 0, memoryBytes: requested.memoryBytes })?.vcpu ?? requested.vcpu;
  return requested.vcpu <= Math.ceil(least) ? Math.min(leastVcpu, requested.vcpu) : requested.vcpu;
}

function explain(view: RunView, measuredBytes: number, requested: Size, recommended: Size): string {
  if (measuredBytes === 0) return "No attempt of this run measured a merge, so the request stays the same.";
  const parts = [
    `The largest working set was ${formatMemory(measuredBytes)} of ${formatMemory(requested.memoryBytes)} requested. ${formatMemory(recommended.memoryBytes)} leaves ${Math.round((headroom - 1) * 100)}% headroom and covers the predicted peaks.`,
  ];
  if (recommended.vcpu < requested.vcpu) {
    parts.push(
      `The memory alone made ${requested.vcpu} vCPU necessary. The saving assumes the same run time: try one pair first, because aligning and verifying can take longer on ${recommended.vcpu} vCPU.`,
    );
  }
  if (view.record.backend === "local") parts.push("On this machine, a smaller request leaves room for other work.");
  return parts.join(" ");
}
