import * as v from "valibot";
import type { StatedSettings } from "../config/resolve.ts";
import { Settings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn } from "../model/failure.ts";
import type { RunRecord } from "../model/run.ts";
import { documentFix } from "../model/run-documents.ts";
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

/**
 * What decides whether a pair of a run is done: where its checkpoint is, when that is complete, and how it is merged.
 * @throws Failure (input) where somebody else has changed the record
 */
export function decisiveSettings({ run, input, settings, completeness }: RunRecord): Partial<Settings> {
  const kept = Object.entries({ input, ...settings, ...completeness }).filter(([name]) => name in Settings.entries);
  const parsed = v.safeParse(Settings, Object.fromEntries(kept));
  const issues = parsed.issues ?? [];
  failOn(
    ExitCode.input,
    issues.map((issue) => ({
      what: `run.json of run ${run}: the setting ${v.getDotPath(issue)} is not ${issue.message}`,
      fix: documentFix,
    })),
  );
  const names = new Set(kept.map(([name]) => name));
  const output = parsed.success ? Object.entries(parsed.output) : [];
  return Object.fromEntries(output.filter(([name]) => names.has(name)));
}
