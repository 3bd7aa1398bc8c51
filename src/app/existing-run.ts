import type { Command } from "commander";
import * as v from "valibot";
import type { Backend } from "../backend/backend.ts";
import { readSettings } from "../cli/flags.ts";
import { Settings } from "../config/settings.ts";
import type { PriceList } from "../model/cost.ts";
import { findRun } from "../run/choose.ts";
import { type RunStore, runPaths } from "../run/documents.ts";
import { RunState } from "../run/state.ts";
import { createStore } from "../store/create-store.ts";
import { openMachine } from "./create-backend.ts";
import { loadPrices } from "./reports.ts";

/** Settings that say where runs are and how to get there. */
export const knownRunSettings = [
  "input",
  "output",
  "prices",
  "gcsEndpoint",
  "stallSeconds",
  "kubeContext",
  "namespace",
  "project",
  "region",
  "cloudRunEndpoint",
  "run",
] as const;

const { input: defaultInput } = v.parse(Settings, {});

/** A run that exists, as its folder and its backend tell it. */
export interface KnownRun {
  readonly store: RunStore;
  readonly session: RunState;
  readonly backend: Backend;
  /** The settings, with those that the run was begun with. */
  readonly settings: Settings;
}

/** Finds a run by its name; none is the newest. @throws Failure (usage) when there is none. */
export async function openKnownRun(named: string | undefined, given: Settings): Promise<KnownRun> {
  const outputs = await createStore(given, [given.output]);
  const record = await findRun(outputs, given.output, named ?? given.run ?? "last");
  const version = (await outputs.stat(runPaths(outputs, given.output, record.run).record))?.version;
  const ceilingBytes = (record.handles[0]?.launch ?? record.pending)?.ceilingBytes ?? 0;
  const settings: Settings = {
    ...given,
    ...record.settings,
    // The checkpoints that the run was begun with, unless whoever asks names them by another path.
    input: given.input === defaultInput ? record.input : given.input,
    backend: record.backend,
    memoryCeiling: ceilingBytes,
  };
  const { backend } = await openMachine(record.backend, settings);
  const store = await createStore(settings, [settings.input, settings.output]);
  const session = new RunState(store, settings, { record, version }, ceilingBytes);
  await session.load();
  return { store, session, backend, settings };
}

/** Asks the backend for what it knows of launches that are not over. */
export async function refresh({ session, backend }: Pick<KnownRun, "session" | "backend">): Promise<void> {
  for (const handle of session.openHandles()) await session.observe(handle.launch, await backend.status(handle));
}

/** The run as it is now, with what its backend knows; and the prices to count it with. */
export async function lookAtRun(
  named: string | undefined,
  flags: Readonly<Record<string, unknown>>,
  command: Command,
): Promise<{ readonly run: KnownRun; readonly prices: PriceList }> {
  const settings = readSettings(flags, command);
  const prices = await loadPrices(settings);
  const run = await openKnownRun(named, settings);
  await refresh(run);
  return { run, prices };
}
