import type { MemoryRecord } from "../model/measurement.ts";
import type { Ceiling } from "./ceiling.ts";
import { createHistory } from "./history.ts";
import type { Limits } from "./limits.ts";
import { createSampler } from "./sample.ts";

/** The level of the working set: below the warning level, at it, at the stop level, or above the ceiling. */
export type Level = "ok" | "warn" | "stop" | "over";

export interface Watch {
  /** Takes a sample, keeps it, and acts on it. Returns the working set in bytes. */
  sample(): number;
  /** The measurements so far. */
  record(): MemoryRecord;
}

export interface WatchOptions {
  readonly ceiling: Ceiling;
  readonly limits: Limits;
  /** The child's process id; undefined if it could not be started. */
  readonly childPid: number | undefined;
  /** Called with every sample. */
  readonly onSample: (bytes: number, level: Level) => void;
  /** Called each time that the working set rises to the warning level. */
  readonly onWarn: (bytes: number) => void;
}

/** The next warning comes only after the working set fell to this share of the level, because it swings with every table. */
const rearmShare = 0.95;

/** Compares the working set with the levels of the ceiling. */
export function createWatch({ ceiling, limits, childPid, onSample, onWarn }: WatchOptions): Watch {
  const sampler = createSampler(limits, childPid);
  const history = createHistory();
  const start = performance.now();
  let warnings = 0;
  let warned = false;

  const warn = (bytes: number): void => {
    if (bytes < ceiling.warnBytes * rearmShare) warned = false;
    if (bytes < ceiling.warnBytes || warned) return;
    warned = true;
    warnings += 1;
    onWarn(bytes);
  };

  return {
    sample() {
      const bytes = sampler.sample();
      history.add({ seconds: (performance.now() - start) / 1000, bytes });
      warn(bytes);
      onSample(bytes, levelOf(bytes, ceiling));
      return bytes;
    },
    record: () => ({
      source: sampler.source,
      peakBytes: sampler.peakBytes(),
      ceilingBytes: ceiling.ceilingBytes,
      warnings,
      samples: history.list(),
    }),
  };
}

/** The level that a working set reaches. */
function levelOf(bytes: number, { ceilingBytes, stopBytes, warnBytes }: Ceiling): Level {
  if (bytes > ceilingBytes) return "over";
  if (bytes >= stopBytes) return "stop";
  return bytes >= warnBytes ? "warn" : "ok";
}
