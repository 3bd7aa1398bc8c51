import type { Backend } from "../backend/backend.ts";
import { ExitCode } from "../model/exit-code.ts";
import { type Failure, toFailure } from "../model/failure.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { RunStore } from "./documents.ts";

export interface RetryOptions {
  /** Milliseconds for which a store or a backend may be out of reach. */
  readonly milliseconds: number;
  /** Milliseconds before the first retry; the pause doubles up to 15 seconds. */
  readonly firstPause: number;
  /** Called after every try that failed. */
  readonly onFailure: (failure: Failure) => void;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Milliseconds: long enough to restart a service or to repair a network. */
export const longestOutage = 15 * 60 * 1000;
/** Milliseconds. */
const longestPause = 15_000;

/**
 * Repeats work that failed with a transient failure, with growing pauses.
 * @throws Failure: any other failure at once, and the transient one when the time is up.
 */
export async function retryTransient<Value>(work: () => Promise<Value>, options: RetryOptions): Promise<Value> {
  const { milliseconds, firstPause, onFailure, signal, clock = systemClock } = options;
  const end = clock.now() + milliseconds;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const failure = toFailure(error);
      if (failure.exitCode !== ExitCode.transient || clock.now() >= end) throw failure;
      onFailure(failure);
    }
    // Controllers and workers that failed together must not all come back at the same moment.
    const wait = Math.min(pause * (1 + clock.random()), longestPause);
    await clock.sleep(Math.min(wait, Math.max(0, end - clock.now())), signal);
  }
}

/** The same store, but every request is tried again while that may help. */
export function retryingStore(store: RunStore, options: RetryOptions): RunStore {
  return {
    join: store.join,
    list: (folder) => retryTransient(() => store.list(folder), options),
    stat: (path) => retryTransient(() => store.stat(path), options),
    readText: (path) => retryTransient(() => store.readText(path), options),
    writeText: (path, text) => retryTransient(() => store.writeText(path, text), options),
    writeTextIf: (path, text, expected) => retryTransient(() => store.writeTextIf(path, text, expected), options),
    remove: (path, version) => retryTransient(() => store.remove(path, version), options),
  };
}

/** The same backend, but every request is tried again while that may help: a second one does no harm. */
export function retryingBackend(backend: Backend, options: RetryOptions): Backend {
  return {
    name: backend.name,
    check: (launch) => backend.check(launch),
    submit: (launch, generation) => retryTransient(() => backend.submit(launch, generation), options),
    status: (handles) => retryTransient(() => backend.status(handles), options),
    wait: (handles, signal) => backend.wait(handles, signal),
    cancel: (handle) => retryTransient(() => backend.cancel(handle), options),
  };
}
