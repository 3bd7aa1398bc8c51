import type { PriceList, RightSize, RunCost } from "../model/cost.ts";
import { stopShare } from "../model/guard.ts";
import type { PairOutcome, RunView } from "../model/run.ts";
import { formatMemory } from "../model/units.ts";
import { sumLines } from "./lines.ts";
import { priceUse, ratesOf } from "./rates.ts";
import { fitSize, type Size } from "./sizes.ts";
import { listMerges } from "./work.ts";

/** Room above the largest working set that was measured: the guard slows a merge down from 90% of its ceiling on. */
const headroom = 1.25;
/** The smallest machine on which the merge has been measured. */
const leastVcpu = 2;

/** What the next run should ask for, and what that saves; undefined while no pair has ended well. */
export function rightSize(view: RunView, cost: RunCost, list: PriceList): RightSize | undefined {
  const done = listMerges(view);
  const attempts = cost.pairs.flatMap((pair) => pair.attempts);
  const peakBytes = Math.max(0, ...attempts.map((attempt) => attempt.peakBytes ?? 0));
  if (done.length === 0 || peakBytes === 0) return undefined;
  const { backend } = view.record;
  const requested = {
    vcpu: Math.max(...done.map((use) => use.vcpu)),
    memoryBytes: Math.max(...done.map((use) => use.memoryBytes)),
  };
  const recommended = fitSize(backend, {
    vcpu: neededVcpu(view, requested),
    memoryBytes: neededBytes(view, peakBytes),
  });
  if (recommended === undefined) return undefined;
  const priceAs = (size: Size | undefined) =>
    sumLines(
      done.flatMap((use) => {
        const rates = ratesOf(backend, use.spot);
        return rates === undefined ? [] : priceUse({ ...use, ...size }, rates, list);
      }),
    );
  return {
    requested,
    peakBytes,
    recommended,
    reason: explain(view, peakBytes, requested, recommended),
    before: priceAs(undefined),
    after: priceAs(recommended),
  };
}

/** The measured peak with headroom, what the plans predict, and more than any ceiling that a pair ran into for good. */
function neededBytes(view: RunView, peakBytes: number): number {
  const predicted = view.pairs.map((pair) => (pair.output?.predictedPeakBytes ?? 0) / stopShare);
  const outgrown = view.pairs.filter((pair) => pair.state !== "done" && pair.failures.memory > 0).flatMap(ceilingsOf);
  return Math.max(peakBytes * headroom, ...predicted, ...outgrown.map((bytes) => bytes * headroom));
}

function ceilingsOf(pair: PairOutcome): number[] {
  return pair.attempts.map((attempt) => attempt.memoryBytes);
}

/** CPUs that were asked for only because the memory needed them are not asked for again. */
function neededVcpu(view: RunView, requested: Size): number {
  const { backend } = view.record;
  if (backend === "local") return requested.vcpu;
  const least = fitSize(backend, { vcpu: 0, memoryBytes: requested.memoryBytes })?.vcpu ?? requested.vcpu;
  return requested.vcpu <= Math.ceil(least) ? Math.min(leastVcpu, requested.vcpu) : requested.vcpu;
}

function explain(view: RunView, peakBytes: number, requested: Size, recommended: Size): string {
  const parts = [
    `Largest working set ${formatMemory(peakBytes)} of ${formatMemory(requested.memoryBytes)} asked for; ${formatMemory(recommended.memoryBytes)} leaves room for ${Math.round((headroom - 1) * 100)}% more and for what the plans predict.`,
  ];
  if (recommended.vcpu < requested.vcpu) {
    parts.push(
      `${requested.vcpu} vCPU went with the memory. The saving takes the seconds as they were: try one pair first, as aligned tables and checks may take longer on ${recommended.vcpu}.`,
    );
  }
  if (view.record.backend === "local") parts.push("On this machine it saves room for other work, not money.");
  return parts.join(" ");
}
