import { type AttemptOutcome, attemptSeconds, type RunView } from "../model/run.ts";
import type { Use } from "./rates.ts";

/** The attempt that merged a pair, with its requested size. Bytes are those of the tables and of the output. */
export interface PairUse extends Use {
  readonly pair: string;
  readonly spot: boolean;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** For each pair, the attempt that merged it. Failed attempts and pairs without a good attempt are left out. */
export function listMerges(view: RunView): PairUse[] {
  return view.pairs.flatMap(({ pair, attempts, output }) => {
    const attempt = findMerge(attempts);
    if (attempt === undefined) return [];
    const { vcpu, memoryBytes, spot } = attempt;
    const bytes = { inputBytes: output?.inputBytes ?? 0, outputBytes: output?.sizeBytes ?? 0 };
    return [{ pair, vcpu, memoryBytes, seconds: attemptSeconds(attempt, view.at), spot, ...bytes }];
  });
}

/** An attempt that found the output of a lost one stands for it. */
function findMerge(attempts: readonly AttemptOutcome[]): AttemptOutcome | undefined {
  const merged = attempts.findLast(({ ending }) => ending.kind === "done" && ending.word === "done");
  return merged ?? attempts.findLast(({ ending }) => ending.kind === "done");
}
