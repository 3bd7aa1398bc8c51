import { causesByWeight, codeOfCause } from "../model/cause.ts";
import { ExitCode } from "../model/exit-code.ts";
import type { Cause, Launch } from "../model/run.ts";
import { decide } from "./policy.ts";
import { collectPairs, countedFailures, type PairFacts, type RunFacts } from "./view.ts";

/** Pairs of the next launch and their ceiling in bytes. */
export interface Wave {
  readonly pairs: readonly string[];
  readonly ceilingBytes: number;
}

/**
 * What is to be started next, of which nothing runs: all pairs that may be tried with the smallest ceiling. Undefined
 * when nothing is left to start. Pure.
 */
export function nextWave(facts: RunFacts): Wave | undefined {
  const open = collectPairs(facts).flatMap((pair) => {
    if (pair.done) return [];
    const decision = decide(countedFailures(pair, facts.record), facts.policy);
    return decision.action === "start" ? [{ pair: pair.pair, ceilingBytes: decision.ceilingBytes }] : [];
  });
  if (open.length === 0) return undefined;
  const ceilingBytes = Math.min(...open.map((it) => it.ceilingBytes));
  return { ceilingBytes, pairs: open.filter((it) => it.ceilingBytes === ceilingBytes).map(({ pair }) => pair) };
}

/** How many of the pairs, in their order, may be started before the money is spent; all without a limit. Pure. */
export function countAffordable(
  wave: Wave,
  cost: {
    readonly maxCost: number | undefined;
    /** $ so far. */
    readonly spent: number;
    /** $ for one more start of these pairs. */
    readonly estimate: (wave: Wave) => number;
  },
): number {
  const { maxCost, spent, estimate } = cost;
  if (maxCost === undefined) return wave.pairs.length;
  let count = 0;
  while (count < wave.pairs.length && spent + estimate({ ...wave, pairs: wave.pairs.slice(0, count + 1) }) <= maxCost)
    count += 1;
  return count;
}

/**
 * A launch of a wave. Spot capacity is for the first one alone: what that left undone is started again on demand, so that
 * a pair that keeps losing its place is done in the end.
 */
export function toLaunch(
  wave: Wave,
  shape: Pick<Launch, "run" | "number" | "parallelism" | "spot" | "retries" | "retriesUnexpected">,
): Launch {
  const spot = shape.spot && shape.number === 0;
  const tasks = wave.pairs.map((pair, index) => ({ index, pair }));
  return { ...shape, spot, ceilingBytes: wave.ceilingBytes, tasks };
}

/** The exit code of a run of which nothing runs any more: 0 only when every pair is done. Pure. */
export function exitCodeOf(facts: RunFacts): ExitCode {
  const open = collectPairs(facts).filter((pair) => !pair.done);
  if (open.length === 0) return ExitCode.done;
  const causes = new Set(open.map((pair) => finalCause(pair, facts)));
  const worst = causesByWeight.find((cause) => causes.has(cause));
  return worst === undefined ? ExitCode.unexpected : codeOfCause[worst];
}

/** A pair that may still be started was held back by a limit of the settings. */
function finalCause(pair: PairFacts, { record, policy }: RunFacts): Cause {
  const decision = decide(countedFailures(pair, record), policy);
  return decision.action === "give up" ? decision.cause : "usage";
}
