import type { Backend } from "../backend/backend.ts";
import type { Handle, Launch } from "../model/run.ts";
import type { PlannedPair, RunOptions } from "./options.ts";
import { collectPairs, countedFailures, type RunFacts } from "./outcomes.ts";
import { decide } from "./policy.ts";
import type { RunState } from "./state.ts";

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

/** The next wave, as far as it can be paid. */
export function planWave(session: RunState, { cost, settings, onNotice }: RunOptions): Wave | undefined {
  const wave = nextWave(session);
  if (wave === undefined || cost === undefined) return wave;
  const plannedPair = (pair: string): PlannedPair => session.completions.get(pair) ?? { pair, inputBytes: 0 };
  const spent = cost.spent(session.view());
  const estimate = (some: Wave): number => cost.estimate(some.pairs.map(plannedPair), some.ceilingBytes);
  const count = countAffordable(wave, { maxCost: settings.maxCost, spent, estimate });
  const left = wave.pairs.length - count;
  if (left > 0)
    onNotice?.(
      `$${spent.toFixed(2)} spent: ${left} pairs are not started, as --max-cost ${settings.maxCost} would be passed`,
    );
  return count === 0 ? undefined : { ...wave, pairs: wave.pairs.slice(0, count) };
}

/** A wave as the run's next launch. */
export function shapeLaunch({ record }: RunState, wave: Wave, { capacity, settings }: RunOptions): Launch {
  return toLaunch(wave, {
    run: record.run,
    number: record.handles.length,
    parallelism: Math.max(1, capacity.parallelism(wave.pairs.length, wave.ceilingBytes)),
    spot: capacity.spot,
    retries: settings.retries,
    retriesUnexpected: settings.retriesUnexpected,
  });
}

/** The handle of a launch that was submitted. */
export function findHandle({ record }: RunState, { number }: Launch): Handle | undefined {
  return record.handles.find(({ launch }) => launch.number === number);
}

/** Starts a launch, or finds it again; the run's record tells of it before and after. */
export async function submit(session: RunState, launch: Launch, backend: Backend): Promise<Handle> {
  const isKnown = findHandle(session, launch) !== undefined;
  if (!isKnown) await session.save({ ...session.record, pending: launch });
  const handle = await backend.submit(launch);
  if (isKnown) return handle;
  const { pending: _, ...record } = session.record;
  await session.save({ ...record, handles: [...record.handles, handle] });
  return handle;
}

/** Launches of a run whose end is not known, and the one of which nobody knows whether it was submitted. */
export function listOpen(session: RunState): readonly Launch[] {
  const { pending, handles } = session.record;
  const lost = pending !== undefined && handles.every(({ launch }) => launch.number !== pending.number);
  return [...session.openHandles().map(({ launch }) => launch), ...(lost ? [pending] : [])];
}
