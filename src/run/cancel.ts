import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import type { Backend } from "../backend/backend.ts";
import { type Failure, toFailure } from "../model/failure.ts";
import type { Launch } from "../model/run.ts";
import { formatDocument } from "./documents.ts";
import { listOpen, submit } from "./launch.ts";
import { takeLease } from "./lease.ts";
import type { RunState } from "./state.ts";
import { hasController, type WatchedRun } from "./watch.ts";

/** Milliseconds that a live controller has to stop its workers. */
const controllerLimit = 180_000;
/** Milliseconds between two looks at the lease. */
const checkEvery = 250;
const stopsAtOnce = 8;

/** Stops what runs of a run's open launches and writes down how they ended. Returns the failures of those that it could not stop. */
export async function stopLaunches(state: RunState, backend: Backend): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  const stop = async (launch: Launch): Promise<void> => {
    try {
      // A launch that may or may not have been submitted is found by submitting it.
      const known = state.record.handles.find((handle) => handle.launch.number === launch.number);
      const handle = known ?? (await submit(state, launch, backend));
      await backend.cancel(handle);
      await state.observe(await backend.status([handle]));
      await state.close(handle);
    } catch (error) {
      failures.push(toFailure(error));
    }
  };
  await pMap(listOpen(state), stop, { concurrency: stopsAtOnce });
  return failures;
}

/**
 * Cancels a run: asks its controller to stop the workers, and stops them here if there is no controller, or if it does not
 * stop them in time. Returns false for a run that was over: nothing is changed then.
 * @throws Failure: the first one, if workers could not be stopped; those that could are stopped.
 */
export async function cancel(run: WatchedRun): Promise<boolean> {
  const { store, state } = run;
  if (state.record.finished !== undefined && listOpen(state).length === 0) return false;
  await store.writeText(state.paths.cancel, formatDocument({ format: 1 }));
  const deadline = performance.now() + controllerLimit;
  while ((await hasController(run)) && performance.now() < deadline) await sleep(checkEvery);
  await state.reload();
  // A controller that was still running has done the rest.
  if (!state.record.cancelled) await cancelHere(run);
  return true;
}

async function cancelHere({ store, state, backend }: WatchedRun): Promise<void> {
  const lease = await takeLease(store, state.paths.lease, { run: state.record.run });
  try {
    await state.reload();
    const [first] = await stopLaunches(state, backend);
    if (first !== undefined) throw first;
    const { pending: _, ...record } = state.record;
    await state.save({ ...record, cancelled: true, finished: record.finished ?? new Date().toISOString() });
    await store.remove(state.paths.cancel);
  } finally {
    await lease.release().catch(() => undefined);
  }
}
