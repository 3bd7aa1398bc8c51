import pMap from "p-map";
import type { Backend } from "../backend/backend.ts";
import { type Failure, toFailure } from "../model/failure.ts";
import type { Launch, LaunchStatus, RunView } from "../model/run.ts";
import { formatDocument, locateReports } from "./documents.ts";
import { listOpen, submit } from "./launch.ts";
import { describeHolder, takeLease } from "./lease.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { isTaskOver } from "./outcomes.ts";
import type { RunState } from "./state.ts";
import { retryingBackend } from "./transient-retry.ts";
import type { WatchedRun } from "./watch.ts";

/** Milliseconds that a live controller has to stop its workers. */
const controllerLimit = 180_000;
/** Milliseconds between two looks at the lease. */
const checkEvery = 250;
const stopsAtOnce = 8;
/** Milliseconds for which a backend may be out of reach: somebody waits for the end. */
const stopPatience = 10_000;

/** Stops what runs of a run's open launches and writes down how they ended. Returns the failures of those that it could not stop. */
export async function stopLaunches(state: RunState, machine: Backend): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  const patience = { milliseconds: stopPatience, firstPause: 500, onFailure: () => undefined, clock: state.clock };
  const backend = retryingBackend(machine, patience);
  const stop = async (launch: Launch): Promise<void> => {
    try {
      // A launch that may or may not have been submitted is found by submitting it.
      const known = state.record.handles.find((handle) => handle.launch.number === launch.number);
      const handle = known ?? (await submit(state, launch, backend));
      // What ran until now counts, and may be forgotten with what is removed.
      state.note(await backend.status([handle]));
      await backend.cancel(handle);
      await state.observe((await backend.status([handle])).map(endTasks));
      await state.close(handle);
    } catch (error) {
      failures.push(toFailure(error));
    }
  };
  await pMap(listOpen(state), stop, { concurrency: stopsAtOnce });
  return failures;
}

/** Nothing of a launch runs once it was stopped, whatever a late look tells. */
function endTasks({ launch, statuses }: LaunchStatus): LaunchStatus {
  return {
    launch,
    statuses: statuses.map((task) => (isTaskOver(task.state) ? task : { ...task, state: "cancelled" })),
  };
}

/** How a request to cancel a run ended. */
export type Cancellation =
  | { readonly outcome: "cancelled" }
  /** Nothing was changed. */
  | { readonly outcome: "already over" }
  /** The request is in the store; one look could not tell whether there is a controller to carry it out. */
  | { readonly outcome: "unknown"; readonly holder: string };

export interface CancelOptions {
  /** Whether to watch the lease of a controller on another machine until it is known whether it lives. */
  readonly wait?: boolean;
  /** Reports of a view, by their names in the run's folder. */
  readonly documents?: (view: RunView) => Promise<ReadonlyMap<string, string>>;
}

/**
 * Cancels a run: asks its controller to stop the workers, and stops them here if there is no controller, or if it does not
 * stop them in time. Where one look at the lease cannot tell whether there is a controller, it says so, or watches the
 * lease with `wait`, for 30 seconds at most if no heartbeat comes.
 * @throws Failure: the first one, if workers could not be stopped; those that could are stopped.
 */
export async function cancel(run: WatchedRun, options: CancelOptions = {}): Promise<Cancellation> {
  const { wait = false } = options;
  const { store, state } = run;
  if (outcomeOf(state) !== undefined) return { outcome: "already over" };
  await store.writeText(state.paths.cancel, formatDocument({ format: 1 }));
  const watch = new LeaseWatch(state.clock);
  const deadline = state.clock.now() + controllerLimit;
  while (state.clock.now() < deadline) {
    const { state: controller, lease } = await watch.look(store, state.paths.lease);
    if (controller === "none") break;
    if (controller === "unknown" && !wait) return { outcome: "unknown", holder: describeHolder(lease.document) };
    await state.clock.sleep(checkEvery);
  }
  return { outcome: await cancelHere(run, watch, options) };
}

/** A controller that was still running has stopped its workers, or has finished the run before it saw the request. */
function outcomeOf(state: RunState): "cancelled" | "already over" | undefined {
  const { cancelled, finished } = state.record;
  if (finished === undefined || listOpen(state).length > 0) return undefined;
  return cancelled ? "cancelled" : "already over";
}

async function cancelHere(
  { store, state, backend }: WatchedRun,
  watch: LeaseWatch,
  { documents }: CancelOptions,
): Promise<"cancelled" | "already over"> {
  const { clock } = state;
  const lease = await takeLease(store, state.paths.lease, { run: state.record.run, clock, watch });
  try {
    await state.reload();
    const outcome = outcomeOf(state);
    if (outcome !== undefined) {
      await store.remove(state.paths.cancel);
      return outcome;
    }
    await state.takeOver(lease.owner);
    const [first] = await stopLaunches(state, backend);
    if (first !== undefined) throw first;
    await state.checkAgain();
    const { pending: _, ...open } = state.record;
    const record = { ...open, cancelled: true, finished: open.finished ?? clock.stamp() };
    // Reports that an interrupted controller left would tell of a run that goes on.
    if (documents !== undefined) await state.write(locateReports(state.paths, await documents(state.view(record))));
    await state.save(record);
    await store.remove(state.paths.cancel);
    return "cancelled";
  } finally {
    await lease.release().catch(() => undefined);
  }
}
