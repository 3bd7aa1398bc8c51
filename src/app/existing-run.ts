import type { StatedSettings } from "../config/resolve.ts";
import type { Settings } from "../config/settings.ts";
import type { PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { findRun, readRecord } from "../run/choose.ts";
import { runPaths } from "../run/documents.ts";
import { exitCodeOf } from "../run/outcomes.ts";
import { RunState } from "../run/state.ts";
import { refreshRun, type WatchedRun } from "../run/watch.ts";
import { createStore } from "../store/create-store.ts";
import { createBackend } from "./create-backend.ts";
import { loadPrices } from "./prices.ts";
import { decisiveSettings } from "./run-settings.ts";

export { describeHolder } from "../run/lease.ts";
export type { LeaseLook } from "../run/lease-watch.ts";
export { findController, followRun } from "../run/watch.ts";

/** A run that exists, as its folder and its backend describe it. */
export interface ExistingRun extends WatchedRun {
  /** The settings given, with those that the run was started with. */
  readonly settings: Settings;
}

/** Finds a run by its name; without a name, the newest. @throws Failure (usage) when there is none */
export async function openRun(
  named: string | undefined,
  { settings: given, stated }: StatedSettings,
): Promise<ExistingRun> {
  const outputs = createStore(given);
  const found = await findRun(outputs, given.output, named ?? given.run ?? "last");
  // The version is read before the record that it is taken for.
  const version = (await outputs.stat(runPaths(outputs, given.output, found.run).record))?.version;
  const record = (await readRecord(outputs, given.output, found.run)) ?? found;
  const launch = record.handles[0]?.launch ?? record.pending;
  const ceilingBytes = record.policy?.ceilingBytes ?? launch?.ceilingBytes ?? 0;
  const settings: Settings = {
    ...given,
    ...decisiveSettings(record),
    // The checkpoints that the run was started with, unless the caller names them by another path.
    ...(stated.has("input") ? { input: given.input } : {}),
    backend: record.backend,
    memoryCeiling: ceilingBytes,
  };
  const { backend } = await createBackend(record.backend, settings);
  const store = createStore(settings);
  const state = new RunState(store, settings, { record, version }, { ceilingBytes });
  await state.load();
  return { store, state, backend, settings };
}

/** The run as it is now, its open launches refreshed from its backend, and the price list in force. */
export async function inspectRun(
  named: string | undefined,
  given: StatedSettings,
): Promise<{ readonly run: ExistingRun; readonly prices: PriceList }> {
  const prices = await loadPrices(given.settings);
  const run = await openRun(named, given);
  await refreshRun(run);
  return { run, prices };
}

/** The exit code of a run that is over; 0 while it goes on. */
export function exitCodeSoFar({ state }: ExistingRun): ExitCode {
  return state.record.finished === undefined ? ExitCode.done : exitCodeOf(state);
}
