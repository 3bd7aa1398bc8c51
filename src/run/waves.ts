import type { Launch } from "../model/run.ts";
import { countAffordable, nextWave, toLaunch, type Wave } from "./next-launch.ts";
import type { PlannedPair, RunOptions } from "./options.ts";
import type { RunSession } from "./state.ts";

/** The next wave, as far as it can be paid. */
export function planWave(session: RunSession, { cost, settings, onNotice }: RunOptions): Wave | undefined {
  const wave = nextWave(session);
  if (wave === undefined || cost === undefined) return wave;
  const plannedPair = (pair: string): PlannedPair => session.standings.get(pair) ?? { pair, inputBytes: 0 };
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
export function shapeLaunch({ record }: RunSession, wave: Wave, { capacity, settings }: RunOptions): Launch {
  return toLaunch(wave, {
    run: record.run,
    number: record.handles.length,
    parallelism: Math.max(1, capacity.parallelism(wave.pairs.length, wave.ceilingBytes)),
    spot: capacity.spot,
    retries: settings.retries,
    retriesUnexpected: settings.retriesUnexpected,
  });
}
