import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** Completes "… did not happen within 60 s". */
  readonly what: string;
  /** 60 unless given. */
  readonly seconds?: number;
  /** Pause between two looks; 20 unless given. */
  readonly everyMilliseconds?: number;
}

/**
 * The first value of `look` that is neither undefined nor false.
 * @throws Error with `what` if there is none in time, and whatever `look` throws
 */
export async function waitFor<T>(
  look: () => T | Promise<T>,
  { what, seconds = 60, everyMilliseconds = 20 }: WaitOptions,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await sleep(everyMilliseconds);
  }
}
