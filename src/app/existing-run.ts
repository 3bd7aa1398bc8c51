import * as v from "valibot";
import type { Backend } from "../backend/backend.ts";
import { Settings } from "../config/settings.ts";
import type { PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { findRun } from "../run/choose.ts";
import { type RunStore, runPaths } from "../run/documents.ts";
import { findController } from "../run/lease.ts";
import { exitCodeOf } from "../run/outcomes.ts";
import { RunState } from "../run/state.ts";
import { createStore } from "../store/create-store.ts";
import { createBackend } from "./create-backend.ts";
import { loadPrices } from "./prices.ts";

const { input: defaultInput } = v.parse(Settings, {});

/** A run that exists, as its folder and its backend describe it. */
export interface ExistingRun {
  readonly store: RunStore;
  readonly session: RunState;
  readonly backend: Backend;
  /** The settings given, with those that the run was started with. */
  readonly settings: Settings;
}

/** Finds a run by its name; without a name, the newest. @throws Failure (usage) when there is none */
export async function openRun(named: string | undefined, given: Settings): Promise<ExistingRun> {
  const outputs = await createStore(given, [given.output]);
  const record = await findRun(outputs, given.output, named ?? given.run ?? "last");
  const version = (await outputs.stat(runPaths(outputs, given.output, record.run).record))?.version;
  const ceilingBytes = (record.handles[0]?.launch ?? record.pending)?.ceilingBytes ?? 0;
  const settings: Settings = {
    ...given,
    ...record.settings,
    // The checkpoints that the run was started with, unless the caller names them by another path.
    input: given.input === defaultInput ? record.input : given.input,
    backend: record.backend,
    memoryCeiling: ceilingBytes,
  };
  const { backend } = await createBackend(record.backend, settings);
  const store = await createStore(settings, [settings.input, settings.output]);
  const session = new RunState(store, settings, { record, version }, ceilingBytes);
  await session.load();
  return { store, session, backend, settings };
}

/** The run as it is now, its open launches refreshed from its backend, and the price list in force. */
export async function inspectRun(
  named: string | undefined,
  settings: Settings,
): Promise<{ readonly run: ExistingRun; readonly prices: PriceList }> {
  const prices = await loadPrices(settings);
  const run = await openRun(named, settings);
  const { session, backend } = run;
  for (const handle of session.openHandles()) await session.observe(handle.launch, await backend.status(handle));
  return { run, prices };
}

/** Whether a live controller has the run. */
export async function hasController({ store, session }: ExistingRun): Promise<boolean> {
  return (await findController(store, session.paths.lease, session.record.run)) !== undefined;
}

/** The exit code of a run that is over; 0 while it goes on. */
export function exitCodeSoFar({ session }: ExistingRun): ExitCode {
  return session.record.finished === undefined ? ExitCode.done : exitCodeOf(session);
}
