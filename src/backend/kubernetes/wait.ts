import { setTimeout as sleep } from "node:timers/promises";
import type { WatchEnd } from "./watch.ts";

/** Opens one stream, reports every change that matters, and returns how it ended, after `seconds` at the latest. */
export type OpenWatch = (seconds: number, onChange: () => void, signal: AbortSignal) => Promise<WatchEnd>;

export interface WaitLimits {
  readonly milliseconds: number;
  /** Milliseconds for which the streams stay open after the first change: changes come in bursts (a pod, then its Job). */
  readonly settle: number;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
}

/** Milliseconds. */
const firstPause = 500;
const longestPause = 10_000;

/**
 * Waits for the first change that one of the watches reports, or for the time to pass. A stream that breaks is opened again
 * after a pause that doubles. A stream that cannot be continued ends the wait, also after a pause: a new list is due.
 * Returns whether a change was reported.
 */
export async function waitForChange(watches: readonly OpenWatch[], limits: WaitLimits): Promise<boolean> {
  const deadline = performance.now() + limits.milliseconds;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, limits.signal]);
  const change = Promise.withResolvers<true>();
  try {
    const ends = watches.map((open) => follow(open, () => change.resolve(true), deadline, signal));
    const changed = await Promise.race([change.promise, ...ends]);
    if (changed) await pause(Math.min(limits.settle, deadline - performance.now()), signal);
    return changed;
  } finally {
    over.abort();
  }
}

/** Keeps a stream open; returns false when the time is up or the stream cannot be continued. */
async function follow(open: OpenWatch, onChange: () => void, deadline: number, signal: AbortSignal): Promise<false> {
  let next = firstPause;
  while (!signal.aborted) {
    const left = deadline - performance.now();
    if (left <= 0) return false;
    const opened = performance.now();
    const end = await Promise.race([open(left / 1000, onChange, signal), passed(left, signal)]);
    // A stream that stayed open this long was not broken.
    if (performance.now() - opened > longestPause) next = firstPause;
    await pause(Math.min(next, deadline - performance.now()), signal);
    if (end === "expired") return false;
    next = Math.min(2 * next, longestPause);
  }
  return false;
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
