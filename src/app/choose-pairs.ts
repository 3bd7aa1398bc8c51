import type { Settings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { findRun } from "../run/choose.ts";
import { openStore } from "./open-store.ts";

/** The settings with the pairs of the run to continue, where none are stated. @throws Failure (usage) */
export async function withPairs(settings: Settings): Promise<Settings> {
  if (settings.pairs.length > 0) return { ...settings, pairs: [...new Set(settings.pairs)] };
  if (settings.run !== undefined) {
    const { pairs } = await findRun(await openStore(settings), settings.output, settings.run);
    return { ...settings, pairs: [...pairs] };
  }
  const fix = "name pairs with --pairs, or in a profile such as profiles/27-pairs.yaml (--config)";
  throw new Failure(ExitCode.usage, [{ what: "no pair to merge", fix }]);
}
