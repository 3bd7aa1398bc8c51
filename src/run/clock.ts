import { setTimeout as sleepFor } from "node:timers/promises";

/** Time as a controller sees it. A simulation gives every controller a clock of its own. */
export interface Clock {
  /** Milliseconds on the monotonic clock of this process: the only time that decides anything. */
  now(): number;
  /** The time of day, RFC 3339. This machine's clock may be wrong, so it is written for people and never compared. */
  stamp(): string;
  /** From 0 to 1: spreads retries. */
  random(): number;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Does the work every so many milliseconds, without keeping the process alive. Returns what ends it. */
  repeat(milliseconds: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  stamp: () => new Date().toISOString(),
  random: Math.random,
  sleep: (milliseconds, signal) =>
    sleepFor(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  repeat: (milliseconds, work) => {
    const timer = setInterval(work, milliseconds).unref();
    return () => clearInterval(timer);
  },
};
