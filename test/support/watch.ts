/** Looks at one launch as the controller does: asks, waits for a change, asks again. */
import type { Backend } from "../../src/backend/backend.ts";
import type { Handle, TaskStatus } from "../../src/model/run.ts";
import { isTaskOver } from "../../src/run/outcomes.ts";

export async function statusOf(backend: Backend, handle: Handle): Promise<readonly TaskStatus[]> {
  const [found] = await backend.status([handle]);
  if (found === undefined) throw new Error(`no status of ${handle.name}`);
  return found.statuses;
}

type Statuses = readonly TaskStatus[];

/** The first statuses for which the condition holds. @throws with the last ones if that takes longer than `seconds`. */
export async function watchUntil(
  backend: Backend,
  handle: Handle,
  isSo: (statuses: Statuses) => boolean,
  { seconds = 180, onLook = () => undefined }: { seconds?: number; onLook?: (statuses: Statuses) => void } = {},
): Promise<Statuses> {
  const signal = AbortSignal.timeout(seconds * 1000);
  for (;;) {
    const statuses = await statusOf(backend, handle);
    onLook(statuses);
    if (isSo(statuses)) return statuses;
    if (signal.aborted) throw new Error(`not so after ${seconds} s: ${JSON.stringify(statuses)}`);
    await backend.wait([handle], signal);
  }
}

export const allOver = (statuses: Statuses): boolean => statuses.every(({ state }) => isTaskOver(state));

export function watchToEnd(backend: Backend, handle: Handle): Promise<Statuses> {
  return watchUntil(backend, handle, allOver);
}
