import { setTimeout as sleep } from "node:timers/promises";
import type { WatchEnd } from "./watch.ts";

/** Opens one stream; returns how it ended, after `seconds` at the latest. */
export type OpenWatch = (seconds: number, signal: AbortSignal) => Promise<WatchEnd>;

export interface WaitLimit {
  readonly milliseconds: number;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
}

/** Milliseconds. Changes come in bursts (a pod, then its Job): one list shows them all. */
const settleTime = 250;
/** Milliseconds. */
const firstPause = 500;
const longestPause = 10_000;

/**
 * Waits for the first change that one of the watches sees, or for the time to pass. A stream that breaks is opened again
 * after a pause that doubles. A stream that cannot be continued ends the wait, also after a pause: a new list is due.
 */
export async function waitForChange(watches: readonly OpenWatch[], limit: WaitLimit): Promise<void> {
  const deadline = performance.now() + limit.milliseconds;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, limit.signal]);
  try {
    await Promise.race(watches.map((open) => follow(open, deadline, signal)));
  } finally {
    over.abort();
  }
  if (!limit.signal.aborted) await pause(Math.min(settleTime, deadline - performance.now()), limit.signal);
}

async function follow(open: OpenWatch, deadline: number, signal: AbortSignal): Promise<void> {
  let next = firstPause;
  while (!signal.aborted) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    const opened = performance.now();
    const end = await Promise.race([open(left / 1000, signal), passed(left, signal)]);
    if (end === "changed") return;
    // A stream that stayed open this long was not broken.
    if (performance.now() - opened > longestPause) next = firstPause;
    await pause(Math.min(next, deadline - performance.now()), signal);
    if (end === "expired") return;
    next = Math.min(2 * next, longestPause);
  }
}

/** The server ends a stream after whole seconds only, and a silent network never ends it. */
async function passed(milliseconds: number, signal: AbortSignal): Promise<WatchEnd> {
  await pause(milliseconds, signal);
  return "ended";
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
