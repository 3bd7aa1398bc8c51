import type { StatedSettings } from "../config/resolve.ts";
import type { RunView } from "../model/run.ts";
import { type Cancellation, cancel } from "../run/cancel.ts";
import { openRun } from "./existing-run.ts";
import { loadPrices } from "./prices.ts";

/**
 * Cancels a run: a live controller stops its workers and ends; without one, they are stopped here. With `wait`, watches the
 * lease of a controller on another machine until it is known whether it lives.
 * Returns the name of the run, and what came of it. @throws Failure (usage) when there is no such run
 */
export async function cancelRun(
  named: string | undefined,
  given: StatedSettings,
  options: { readonly wait: boolean },
): Promise<Cancellation & { readonly run: string }> {
  const run = await openRun(named, given);
  const prices = await loadPrices(given.settings);
  const documents = async (view: RunView) => (await import("../report/documents.ts")).renderDocuments(view, prices);
  return { ...(await cancel(run, { ...options, documents })), run: run.state.record.run };
}
