import type { StatedSettings } from "../config/resolve.ts";
import type { Settings } from "../config/settings.ts";
import type { RunRecord } from "../model/run.ts";
import { findRun, readRecord } from "../run/choose.ts";
import { createStore } from "../store/create-store.ts";

/**
 * The settings with those of the existing run that they name, where nobody stated others: a run is continued as it began.
 * @throws Failure (usage) when there is no run "last"
 */
export async function withRunSettings({ settings, stated }: StatedSettings): Promise<Settings> {
  const { output, run } = settings;
  if (run === undefined) return settings;
  const store = createStore(settings);
  // "last" states that there is a run; any other name may be that of a new one.
  const record = run === "last" ? await findRun(store, output, run) : await readRecord(store, output, run);
  if (record === undefined) return settings;
  const { pairs, backend } = record;
  const kept = Object.entries({ pairs, backend, ...decisiveSettings(record) }).filter(([name]) => !stated.has(name));
  return { ...settings, ...Object.fromEntries(kept) };
}

/** What decides whether a pair of a run is done: where its checkpoint is, when that is complete, and how it is merged. */
export function decisiveSettings({ input, settings, completeness }: RunRecord): Partial<Settings> {
  return { input, ...settings, ...completeness };
}
