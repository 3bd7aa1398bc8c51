import pRetry from "p-retry";
import type { Backend } from "../backend/backend.ts";
import { ExitCode } from "../model/exit-code.ts";
import { type Failure, toFailure } from "../model/failure.ts";
import type { RunStore } from "./documents.ts";

export interface RetryOptions {
  /** Milliseconds for which a store or a backend may be out of reach before the run gives up. */
  readonly milliseconds: number;
  /** Milliseconds before the second try; the pause doubles up to 15 seconds. */
  readonly firstPause: number;
  /** Told of every try that failed. */
  readonly onFailure: (failure: Failure) => void;
  readonly signal?: AbortSignal;
}

/** Long enough for a service that is restarted, or a network that is repaired. */
export const longestOutage = 15 * 60 * 1000;

/**
 * Tries again, with growing pauses, what failed for a reason that may pass.
 * @throws Failure: at once for any other reason, and for this one when patience is at an end.
 */
export async function retryTransient<Value>(work: () => Promise<Value>, patience: RetryOptions): Promise<Value> {
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
      minTimeout: patience.firstPause,
      maxTimeout: 15_000,
      maxRetryTime: patience.milliseconds,
      randomize: true,
      shouldRetry: ({ error }) => isTransient(error),
      onFailedAttempt: ({ error }) => {
        if (isTransient(error)) patience.onFailure(toFailure(error));
      },
      ...(patience.signal === undefined ? {} : { signal: patience.signal }),
    },
  );
}

function isTransient(error: Error): boolean {
  return toFailure(error).exitCode === ExitCode.transient;
}

/** The same store, with every request tried again while that may help. */
export function retryingStore(store: RunStore, patience: RetryOptions): RunStore {
  return {
    join: store.join,
    list: (folder) => retryTransient(() => store.list(folder), patience),
    stat: (path) => retryTransient(() => store.stat(path), patience),
    readText: (path) => retryTransient(() => store.readText(path), patience),
    writeText: (path, text) => retryTransient(() => store.writeText(path, text), patience),
    writeTextIf: (path, text, expected) => retryTransient(() => store.writeTextIf(path, text, expected), patience),
    remove: (path, version) => retryTransient(() => store.remove(path, version), patience),
  };
}

/** The same backend, with every request tried again while that may help: each is harmless a second time. */
export function retryingBackend(backend: Backend, patience: RetryOptions): Backend {
  return {
    name: backend.name,
    indexVariable: backend.indexVariable,
    submit: (launch) => retryTransient(() => backend.submit(launch), patience),
    status: (handle, wait) => retryTransient(() => backend.status(handle, wait), patience),
    cancel: (handle) => retryTransient(() => backend.cancel(handle), patience),
  };
}
