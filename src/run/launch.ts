import type { Backend } from "../backend/backend.ts";
import type { Handle, Launch } from "../model/run.ts";
import type { RunSession } from "./state.ts";

/** The handle of a launch that was submitted. */
export function findHandle({ record }: RunSession, { number }: Launch): Handle | undefined {
  return record.handles.find(({ launch }) => launch.number === number);
}

/** Starts a launch, or finds it again; the run's record tells of it before and after. */
export async function submit(session: RunSession, launch: Launch, backend: Backend): Promise<Handle> {
  const isKnown = findHandle(session, launch) !== undefined;
  if (!isKnown) await session.save({ ...session.record, pending: launch });
  const handle = await backend.submit(launch);
  if (isKnown) return handle;
  const { pending: _, ...record } = session.record;
  await session.save({ ...record, handles: [...record.handles, handle] });
  return handle;
}

/** Launches of a run whose end is not known, and the one of which nobody knows whether it was submitted. */
export function listOpen(session: RunSession): readonly Launch[] {
  const { pending, handles } = session.record;
  const lost = pending !== undefined && handles.every(({ launch }) => launch.number !== pending.number);
  return [...session.openHandles().map(({ launch }) => launch), ...(lost ? [pending] : [])];
}
