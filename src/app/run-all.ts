import packageJson from "../../package.json" with { type: "json" };
import type { StatedSettings } from "../config/resolve.ts";
import type { PriceList } from "../model/cost.ts";
import { type RunEnd, type RunOptions, runPairs } from "../run/controller.ts";
import { runPaths } from "../run/documents.ts";
import { createStore } from "../store/create-store.ts";
import { keepApart } from "../store/separate-folders.ts";
import { withPairs } from "./choose-pairs.ts";
import { guardCost } from "./cost-guard.ts";
import { createBackend } from "./create-backend.ts";
import type { ObserverFactory } from "./guarded-task.ts";
import { withRunSettings } from "./run-settings.ts";

/** How a caller follows a run and ends it from outside. */
export interface RunHooks extends Required<Pick<RunOptions, "signal" | "detach" | "onView" | "onNotice">> {
  readonly observe: ObserverFactory;
}

/** How a run ended, and where its report for people is. */
export interface FinishedRun extends RunEnd {
  readonly reportPath: string;
}

/** Carries out a run of several pairs, or continues one. @throws Failure when the run cannot begin */
export async function runAll(given: StatedSettings, prices: PriceList, hooks: RunHooks): Promise<FinishedRun> {
  const { observe, ...controls } = hooks;
  const settings = await withPairs(await withRunSettings(given), hooks.onNotice);
  const store = createStore(settings);
  await keepApart(store, settings, settings.pairs);
  const platform = await createBackend(settings.backend, settings, observe);
  const end = await runPairs({
    store,
    machine: platform.backend,
    backend: settings.backend,
    capacity: platform.capacity,
    settings,
    pairs: settings.pairs,
    ...(settings.run === undefined ? {} : { wanted: settings.run }),
    widemerge: packageJson.version,
    cost: guardCost({ settings, platform, prices }),
    // In this process: drawing 27 pairs adds 20 MiB to its 89 MiB; a process for it alone would take 109 MiB.
    documents: async (view) => (await import("../report/documents.ts")).renderDocuments(view, prices),
    ...controls,
  });
  return { ...end, reportPath: runPaths(store, settings.output, end.view.record.run).document("report.html") };
}
