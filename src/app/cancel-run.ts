import { setTimeout } from "node:timers/promises";
import type { Settings } from "../config/settings.ts";
import type { Failure } from "../model/failure.ts";
import { toFailure } from "../model/failure.ts";
import type { Handle } from "../model/run.ts";
import { formatDocument } from "../run/documents.ts";
import { takeLease } from "../run/lease.ts";
import { type ExistingRun, hasController, openRun } from "./existing-run.ts";

/** Milliseconds that a live controller has to notice the request and to stop its workers. */
const controllerDeadline = 180_000;
/** Milliseconds between two looks at the controller. */
const pollInterval = 250;

/**
 * Cancels a run: a live controller stops its workers and ends; without one, they are stopped here.
 * Returns the name of the run. @throws Failure (usage) when there is no such run
 */
export async function cancelRun(named: string | undefined, settings: Settings): Promise<string> {
  const run = await openRun(named, settings);
  const { record, paths } = run.session;
  await run.store.writeText(paths.cancel, formatDocument({ format: 1 }));
  const deadline = performance.now() + controllerDeadline;
  while ((await hasController(run)) && performance.now() < deadline) await setTimeout(pollInterval);
  const after = await openRun(record.run, run.settings);
  // A live controller has stopped the workers; otherwise do it here.
  if (!after.session.record.cancelled) await cancelHere(after);
  return record.run;
}

async function cancelHere({ store, session, backend }: ExistingRun): Promise<void> {
  const { run } = session.record;
  const lease = await takeLease(store, session.paths.lease, { run });
  try {
    const failures: Failure[] = [];
    for (const handle of await listHandles(session, backend)) {
      try {
        await backend.cancel(handle);
        await session.observe(handle.launch, await backend.status(handle));
        await session.close(handle);
      } catch (error) {
        failures.push(toFailure(error));
      }
    }
    const [first] = failures;
    if (first !== undefined) throw first;
    const { pending: _, ...record } = session.record;
    await session.save({ ...record, cancelled: true, finished: record.finished ?? new Date().toISOString() });
    await store.remove(session.paths.cancel);
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/** Launches that are not over. A launch that may or may not have been submitted is found by submitting it again. */
async function listHandles(
  session: ExistingRun["session"],
  backend: ExistingRun["backend"],
): Promise<readonly Handle[]> {
  const { pending, handles } = session.record;
  if (pending === undefined || handles.some(({ launch }) => launch.number === pending.number))
    return session.openHandles();
  const handle = await backend.submit(pending);
  await session.save({ ...session.record, handles: [...handles, handle] });
  return session.openHandles();
}
