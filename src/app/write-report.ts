import type { StatedSettings } from "../config/resolve.ts";
import type { PriceList } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { toFailure } from "../model/failure.ts";
import type { RunView } from "../model/run.ts";
import { locateReports } from "../run/documents.ts";
import { refreshRun } from "../run/watch.ts";
import { inspectRun } from "./existing-run.ts";

/** Reports of a run that were written just now. */
export interface WrittenReport {
  readonly view: RunView;
  readonly prices: PriceList;
  /** The documents by name. */
  readonly documents: ReadonlyMap<string, string>;
  /** Paths of the reports for people and programs; the costs of each pair are beside them. */
  readonly files: readonly string[];
}

/** Times that the reports are made again because the run went on meanwhile. */
const rounds = 5;

/**
 * Writes the reports of a run into its folder. @throws Failure (usage) when there is no such run; Failure (superseded) when
 * its controller changed the run each time before the reports were written
 */
export async function writeReport(named: string | undefined, given: StatedSettings): Promise<WrittenReport> {
  const { run, prices } = await inspectRun(named, given);
  const { renderDocuments } = await import("../report/documents.ts");
  for (let round = 1; ; round += 1) {
    const view = run.state.view();
    const documents = renderDocuments(view, prices);
    try {
      await run.state.write(locateReports(run.state.paths, documents));
      const files = ["report.html", "report.json", "report.csv"].map((name) => run.state.paths.document(name));
      return { view, prices, documents, files };
    } catch (error) {
      // Reports of an older state must not replace those that a controller wrote at its end.
      if (toFailure(error).exitCode !== ExitCode.superseded || round === rounds) throw error;
      await run.state.reload();
      await refreshRun(run);
    }
  }
}
