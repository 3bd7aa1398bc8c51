import { setTimeout } from "node:timers/promises";
import { Command } from "commander";
import { type KnownRun, knownRunSettings, openKnownRun } from "../app/existing-run.ts";
import type { Failure } from "../model/failure.ts";
import { toFailure } from "../model/failure.ts";
import { formatDocument } from "../run/documents.ts";
import { findController, takeLease } from "../run/lease.ts";
import { addSettings, readSettings } from "./flags.ts";

const guide = `
A controller at work stops its workers and ends; where there is none, this command stops them itself. What is done stays
done, and \`widemerge run-all --run <run>\` takes the run up again.

Example:
  widemerge cancel 2026-11-21-a --output training
`;

/** The command `widemerge cancel [run]`. */
export function cancelCommand(): Command {
  const command = new Command("cancel")
    .argument("[run]", "run to cancel; none: the newest")
    .description("stop the workers of a run and remove what it left in the backend")
    .addHelpText("after", guide);
  return addSettings(command, knownRunSettings).action(cancel);
}

/** Milliseconds that a controller at work has to notice and to stop its workers. */
const patience = 180_000;
const lookEvery = 250;

async function cancel(
  named: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<void> {
  const run = await openKnownRun(named, readSettings(flags, command));
  const { record, paths } = run.session;
  await run.store.writeText(paths.cancel, formatDocument({ format: 1 }));
  const deadline = performance.now() + patience;
  for (let by = await atWork(run); by && performance.now() < deadline; by = await atWork(run))
    await setTimeout(lookEvery);
  const after = await openKnownRun(record.run, run.settings);
  // Whoever was at work has done it; where nobody was, or he was killed, it is left to do.
  if (!after.session.record.cancelled) await cancelHere(after);
  process.stdout.write(`run ${record.run} is cancelled\n`);
}

async function atWork({ store, session }: KnownRun): Promise<boolean> {
  return (await findController(store, session.paths.lease, session.record.run)) !== undefined;
}

async function cancelHere({ store, session, backend }: KnownRun): Promise<void> {
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

/** Launches that are not over; one of which nobody knows whether it was submitted is found by submitting it again. */
async function listHandles(
  session: KnownRun["session"],
  backend: KnownRun["backend"],
): Promise<KnownRun["session"]["record"]["handles"]> {
  const { pending, handles } = session.record;
  if (pending === undefined || handles.some(({ launch }) => launch.number === pending.number))
    return session.openHandles();
  const handle = await backend.submit(pending);
  await session.save({ ...session.record, handles: [...handles, handle] });
  return session.openHandles();
}
