import pMap from "p-map";
import type { RunPaths, RunStore } from "./paths.ts";

/** Writes reports into a run's folder. */
export async function writeDocuments(
  store: RunStore,
  paths: RunPaths,
  documents: ReadonlyMap<string, string>,
): Promise<void> {
  await pMap(documents, ([name, text]) => store.writeText(paths.document(name), text), { concurrency: 4 });
}
