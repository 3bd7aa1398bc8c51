import type { StatedSettings } from "../config/resolve.ts";
import { cancel } from "../run/cancel.ts";
import { openRun } from "./existing-run.ts";

/**
 * Cancels a run: a live controller stops its workers and ends; without one, they are stopped here.
 * Returns the name of the run, and whether there was anything to cancel. @throws Failure (usage) when there is no such run
 */
export async function cancelRun(
  named: string | undefined,
  given: StatedSettings,
): Promise<{ readonly run: string; readonly cancelled: boolean }> {
  const run = await openRun(named, given);
  return { cancelled: await cancel(run), run: run.state.record.run };
}
