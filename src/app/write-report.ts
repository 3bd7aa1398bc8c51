import type { StatedSettings } from "../config/resolve.ts";
import type { PriceList } from "../model/cost.ts";
import type { RunView } from "../model/run.ts";
import { writeReports } from "../run/documents.ts";
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

/** Writes the reports of a run into its folder. @throws Failure (usage) when there is no such run */
export async function writeReport(named: string | undefined, given: StatedSettings): Promise<WrittenReport> {
  const { run, prices } = await inspectRun(named, given);
  const view = run.state.view();
  const { renderDocuments } = await import("../report/documents.ts");
  const documents = renderDocuments(view, prices);
  await writeReports(run.store, run.state.paths, documents);
  const files = ["report.html", "report.json", "report.csv"].map((name) => run.state.paths.document(name));
  return { view, prices, documents, files };
}
