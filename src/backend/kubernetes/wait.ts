import { setTimeout as sleep } from "node:timers/promises";
import type { Wait } from "../backend.ts";
import type { WatchEnd } from "./watch.ts";

/** Opens one stream; returns how it ended, after `seconds` at the latest. */
export type OpenWatch = (seconds: number, signal: AbortSignal) => Promise<WatchEnd>;

/** Changes come in bursts (a pod, then its Job): one look at all of them. */
const settleMilliseconds = 250;
const firstPause = 500;
const longestPause = 10_000;

/**
 * Waits for the first change that one of the watches sees, or for the time to pass. A stream that breaks is opened again
 * after a pause that doubles; one that cannot be continued means "look again", after a pause as well.
 */
export async function waitForChange(watches: readonly OpenWatch[], wait: Wait): Promise<void> {
  const limit = performance.now() + wait.milliseconds;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, wait.signal]);
  try {
    await Promise.race(watches.map((open) => follow(open, limit, signal)));
  } finally {
    over.abort();
  }
  if (!wait.signal.aborted) await pause(Math.min(settleMilliseconds, limit - performance.now()), wait.signal);
}

async function follow(open: OpenWatch, limit: number, signal: AbortSignal): Promise<void> {
  let next = firstPause;
  while (!signal.aborted) {
    const left = limit - performance.now();
    if (left <= 0) return;
    const opened = performance.now();
    const end = await Promise.race([open(left / 1000, signal), passed(left, signal)]);
    if (end === "changed") return;
    // A stream that lasted was no broken one.
    if (performance.now() - opened > longestPause) next = firstPause;
    await pause(Math.min(next, limit - performance.now()), signal);
    if (end === "expired") return;
    next = Math.min(2 * next, longestPause);
  }
}

/** The server ends a stream in whole seconds, and a silent network never does. */
async function passed(milliseconds: number, signal: AbortSignal): Promise<WatchEnd> {
  await pause(milliseconds, signal);
  return "ended";
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
