import { once } from "node:events";
import type { Backend } from "../backend/backend.ts";
import type { Handle, RunView } from "../model/run.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { RunStore } from "./documents.ts";
import { type LeaseLook, LeaseWatch } from "./lease-watch.ts";
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

/** When a wait ends at the latest. */
export interface WaitLimits {
  readonly milliseconds?: number | undefined;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/**
 * The only wait of a run: until something may have changed in one of these launches, as the backend sees it, until the
 * time is up, or until the signal is aborted.
 */
export async function waitForChange(
  backend: Backend,
  handles: readonly Handle[],
  { milliseconds, signal, clock = systemClock }: WaitLimits,
): Promise<void> {
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  if (milliseconds !== undefined) void clock.sleep(milliseconds, over.signal).then(() => over.abort());
  try {
    if (handles.length > 0) await backend.wait(handles, ended);
    else if (!ended.aborted) await once(ended, "abort");
  } finally {
    over.abort();
  }
  await clock.sleep(settleTime);
}

/** Asks the backend how the open launches stand. */
export async function refreshRun({ state, backend }: Pick<WatchedRun, "state" | "backend">): Promise<void> {
  await state.observe(await backend.status(state.openHandles()));
}

/** Whether a controller has the run, as far as one look can tell. */
export function findController({ store, state }: Pick<WatchedRun, "store" | "state">): Promise<LeaseLook> {
  return new LeaseWatch(state.clock).look(store, state.paths.lease);
}

/**
 * Shows a run that another process controls, after every change, until the run or its controller has ended. Returns what
 * is known of the controller then.
 */
export async function followRun(run: WatchedRun, onView: (view: RunView) => void): Promise<LeaseLook> {
  const { state, backend } = run;
  const watch = new LeaseWatch(state.clock);
  const look = (): Promise<LeaseLook> => watch.look(run.store, state.paths.lease);
  let found = await look();
  while (state.record.finished === undefined && found.state !== "none") {
    const change = new AbortController();
    const waiting = waitForChange(backend, state.openHandles(), { signal: change.signal, clock: state.clock });
    await Promise.race([waiting, waitForDocuments(run, look, change.signal)]);
    change.abort();
    await waiting;
    await state.reload();
    await refreshRun(run);
    onView(state.view());
    found = await look();
  }
  return found;
}

/** Until the record has changed or the controller is gone. */
async function waitForDocuments(
  { state }: WatchedRun,
  look: () => Promise<LeaseLook>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await state.isCurrent()) && (await look()).state !== "none")
    await state.clock.sleep(documentsEvery, signal);
}
