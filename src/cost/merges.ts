import { largest } from "../model/numbers.ts";
import { type AttemptOutcome, attemptSeconds, type RunView } from "../model/run.ts";
import type { ComputeUse } from "./compute.ts";
import type { Size } from "./machine-sizes.ts";

/** The attempt that merged a pair, with its requested size. */
export interface Merge extends ComputeUse {
  readonly spot: boolean;
  /** Bytes of the pair's tables. */
  readonly inputBytes: number;
}

/** For each pair, the attempt that merged it. Failed attempts and pairs without a good attempt are left out. */
export function listMerges(view: RunView): Merge[] {
  return view.pairs.flatMap(({ attempts, output }) => {
    const attempt = findMerge(attempts);
    if (attempt === undefined) return [];
    const { vcpu, memoryBytes, spot } = attempt;
    const seconds = attemptSeconds(attempt, view.at);
    return [{ vcpu, memoryBytes, seconds, spot, inputBytes: output?.inputBytes ?? 0 }];
  });
}

/** An attempt that found the output of a lost one stands for it. */
function findMerge(attempts: readonly AttemptOutcome[]): AttemptOutcome | undefined {
  const merged = attempts.findLast(({ ending }) => ending.kind === "done" && ending.word === "done");
  return merged ?? attempts.findLast(({ ending }) => ending.kind === "done");
}

/** The largest request among some merges: at least one. */
export function largestRequest(merges: readonly Merge[]): Size {
  return {
    vcpu: largest(merges.map((merge) => merge.vcpu)),
    memoryBytes: largest(merges.map((merge) => merge.memoryBytes)),
  };
}
