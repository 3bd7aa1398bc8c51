import type { RunCost } from "../model/cost.ts";
import type { RunView } from "../model/run.ts";
import type { Use } from "./rates.ts";

/** The attempt of a pair that ended well. */
export interface PairUse extends Use {
  readonly pair: string;
  readonly spot: boolean;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** The work of a run without what was lost: for each pair, its last attempt that ended well, as it was requested. */
export function wellSpent(view: RunView, cost: RunCost): PairUse[] {
  return view.pairs.flatMap((outcome, index) => {
    const attempt = cost.pairs[index]?.attempts.findLast((one) => one.ended === "done");
    if (attempt === undefined) return [];
    const { vcpu, requestedBytes, seconds, spot } = attempt;
    const bytes = { inputBytes: outcome.output?.inputBytes ?? 0, outputBytes: outcome.output?.sizeBytes ?? 0 };
    return [{ pair: outcome.pair, vcpu, memoryBytes: requestedBytes, seconds, spot, ...bytes }];
  });
}
