/** Outputs never go where inputs are read. */
import { ExitCode } from "../model/exit-code.ts";
import { failOn, type Problem } from "../model/failure.ts";
import { folderOf } from "../model/folders.ts";
import type { CheckpointSettings } from "../model/settings.ts";
import type { Store } from "./store.ts";

type Places = Pick<CheckpointSettings, "input" | "folders"> & { readonly output: string };

/**
 * An output folder that is, holds or lies in the checkpoint of a pair would mix outputs with tables: links are followed, so
 * that no path hides it.
 * @throws Failure (usage) with every pair whose checkpoint is not apart from the output folder
 */
export async function keepApart(store: Store, places: Places, pairs: readonly string[]): Promise<void> {
  const output = await store.identify(places.output);
  const problems: Problem[] = [];
  for (const pair of pairs) {
    const checkpoint = store.join(places.input, folderOf(places.folders, pair));
    const relation = relate(output, await store.identify(checkpoint));
    if (relation === undefined) continue;
    problems.push({
      what: `the output folder ${relation} the checkpoint of ${pair}`,
      found: `output folder ${places.output}, checkpoint ${checkpoint}`,
      fix: "choose an --output beside the checkpoints",
    });
  }
  failOn(ExitCode.usage, problems);
}

/** How a folder lies to another one, as a verb; undefined where neither holds the other. */
function relate(folder: readonly string[], other: readonly string[]): string | undefined {
  const [own = "", another = ""] = [folder[0], other[0]];
  if (own === another) return "is";
  if (folder.includes(another)) return "lies in";
  return other.includes(own) ? "holds" : undefined;
}
