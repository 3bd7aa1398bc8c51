import type { Backend } from "../backend/backend.ts";
import type { Settings } from "../contract/settings.ts";
import { findRun } from "../controller/open.ts";
import type { RunStore } from "../controller/paths.ts";
import { RunSession } from "../controller/session.ts";
import { createStore } from "../store/route.ts";
import { openMachine } from "./machines.ts";

/** Settings that say where runs are and how to get there. */
export const knownRunSettings = [
  "input",
  "output",
  "prices",
  "gcsEndpoint",
  "stallSeconds",
  "kubeContext",
  "namespace",
  "run",
] as const;

/** A run that exists, as its folder and its backend tell it. */
export interface KnownRun {
  readonly store: RunStore;
  readonly session: RunSession;
  readonly backend: Backend;
  /** The settings, with those that the run was begun with. */
  readonly settings: Settings;
}

/** Finds a run by its name; none is the newest. @throws Failure (usage) when there is none. */
export async function openKnownRun(named: string | undefined, given: Settings): Promise<KnownRun> {
  const store = await createStore(given, [given.input, given.output]);
  const record = await findRun(store, given.output, named ?? given.run ?? "last");
  // The folders by the paths of whoever asks: the run may have been begun in another directory.
  const settings: Settings = { ...given, ...record.settings, backend: record.backend };
  const { backend, capacity } = await openMachine(record.backend, settings);
  const ceilingBytes = record.handles[0]?.launch.ceilingBytes ?? capacity.ceilingBytes;
  const session = new RunSession(store, settings, { ...record, output: given.output }, ceilingBytes);
  await session.load();
  return { store, session, backend, settings };
}

/** Asks the backend for what it knows of launches that are not over. */
export async function refresh({ session, backend }: Pick<KnownRun, "session" | "backend">): Promise<void> {
  for (const handle of session.openHandles()) await session.observe(handle.launch, await backend.status(handle));
}
