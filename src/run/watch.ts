import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../backend/backend.ts";
import type { Handle, RunView } from "../model/run.ts";
import type { RunStore } from "./documents.ts";
import { findController } from "./lease.ts";
import type { RunState } from "./state.ts";

/** Milliseconds that collect a burst of changes into one look. */
const settleTime = 20;
/** Milliseconds between two looks at the documents of a run that another process controls. */
const documentsEvery = 5000;

/** A run with the store and the backend that it uses. */
export interface WatchedRun {
  readonly store: RunStore;
  readonly state: RunState;
  readonly backend: Backend;
}

/**
 * The only wait of a run: until something may have changed in one of these launches, as the backend sees it, until the
 * time is up, or until the signal is aborted.
 */
export async function waitForChange(
  backend: Backend,
  handles: readonly Handle[],
  { milliseconds, signal }: { readonly milliseconds?: number | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const over = new AbortController();
  const timer = milliseconds === undefined ? undefined : setTimeout(() => over.abort(), milliseconds);
  const ended = AbortSignal.any([signal, over.signal]);
  try {
    if (handles.length > 0) await backend.wait(handles, ended);
    else if (!ended.aborted) await once(ended, "abort");
  } finally {
    clearTimeout(timer);
  }
  await sleep(settleTime);
}

/** Asks the backend how the open launches stand. */
export async function refreshRun({ state, backend }: Pick<WatchedRun, "state" | "backend">): Promise<void> {
  await state.observe(await backend.status(state.openHandles()));
}

/** Whether a live controller has the run. */
export async function hasController({ store, state }: Pick<WatchedRun, "store" | "state">): Promise<boolean> {
  return (await findController(store, state.paths.lease, state.record.run)) !== undefined;
}

/** Shows a run that another process controls, after every change, until the run or its controller has ended. */
export async function followRun(run: WatchedRun, onView: (view: RunView) => void): Promise<void> {
  const { state, backend } = run;
  while (state.record.finished === undefined && (await hasController(run))) {
    const change = new AbortController();
    const waiting = waitForChange(backend, state.openHandles(), { signal: change.signal });
    await Promise.race([waiting, waitForDocuments(run, change.signal)]);
    change.abort();
    await waiting;
    await state.reload();
    await refreshRun(run);
    onView(state.view());
  }
}

/** Until the record has changed or the controller is gone. */
async function waitForDocuments(run: WatchedRun, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await run.state.isCurrent()) && (await hasController(run)))
    await sleep(documentsEvery, undefined, { signal }).catch(() => undefined);
}
