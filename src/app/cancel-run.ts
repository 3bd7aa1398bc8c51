import type { Settings } from "../config/settings.ts";
import { cancel } from "../run/cancel.ts";
import { openRun } from "./existing-run.ts";

/**
 * Cancels a run: a live controller stops its workers and ends; without one, they are stopped here.
 * Returns the name of the run. @throws Failure (usage) when there is no such run
 */
export async function cancelRun(named: string | undefined, settings: Settings): Promise<string> {
  const run = await openRun(named, settings);
  await cancel(run);
  return run.state.record.run;
}
