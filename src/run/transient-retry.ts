import pRetry from "p-retry";
import type { Backend } from "../backend/backend.ts";
import { ExitCode } from "../model/exit-code.ts";
import { type Failure, toFailure } from "../model/failure.ts";
import type { RunStore } from "./documents.ts";

export interface RetryOptions {
  /** Milliseconds for which a store or a backend may be out of reach. */
  readonly milliseconds: number;
  /** Milliseconds before the first retry; the pause doubles up to 15 seconds. */
  readonly firstPause: number;
  /** Called after every try that failed. */
  readonly onFailure: (failure: Failure) => void;
  readonly signal?: AbortSignal;
}

/** Milliseconds: long enough to restart a service or to repair a network. */
export const longestOutage = 15 * 60 * 1000;

/**
 * Repeats work that failed with a transient failure, with growing pauses.
 * @throws Failure: any other failure at once, and the transient one when the time is up.
 */
export async function retryTransient<Value>(work: () => Promise<Value>, options: RetryOptions): Promise<Value> {
  return pRetry(
    async () => {
      try {
        return await work();
      } catch (error) {
        throw toFailure(error);
      }
    },
    {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: options.firstPause,
      maxTimeout: 15_000,
      maxRetryTime: options.milliseconds,
      randomize: true,
      shouldRetry: ({ error }) => isTransient(error),
      onFailedAttempt: ({ error }) => {
        if (isTransient(error)) options.onFailure(toFailure(error));
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
}

function isTransient(error: Error): boolean {
  return toFailure(error).exitCode === ExitCode.transient;
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
    submit: (launch) => retryTransient(() => backend.submit(launch), options),
    status: (handles) => retryTransient(() => backend.status(handles), options),
    wait: (handles, signal) => backend.wait(handles, signal),
    cancel: (handle) => retryTransient(() => backend.cancel(handle), options),
  };
}
