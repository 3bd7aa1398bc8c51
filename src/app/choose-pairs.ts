import pMap from "p-map";
import * as v from "valibot";
import type { Settings } from "../config/settings.ts";
import { completeMarker, tableSuffix } from "../model/checkpoint.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { adviseOnName, Pair } from "../model/names.ts";
import type { CheckpointSettings } from "../model/settings.ts";
import { formatCount } from "../model/units.ts";
import { createStore } from "../store/create-store.ts";
import type { Store } from "../store/store.ts";

/**
 * The settings with the pairs to merge: those stated or of an existing run, else every checkpoint under the input.
 * `onNotice` gets a sentence about folders that are not checkpoints.
 * @throws Failure (usage) when there is no pair
 */
export async function withPairs(settings: Settings, onNotice: (text: string) => void): Promise<Settings> {
  if (settings.pairs.length > 0) return { ...settings, pairs: [...new Set(settings.pairs)] };
  return { ...settings, pairs: [...(await findCheckpoints(createStore(settings), settings, onNotice))] };
}

/** Folders looked at side by side. */
const lookupsAtOnce = 8;
/** Folders that a notice names. */
const namesShown = 10;

async function findCheckpoints(
  store: Store,
  settings: CheckpointSettings,
  onNotice: (text: string) => void,
): Promise<readonly string[]> {
  const { input } = settings;
  const folders = await store.listFolders(input);
  if (folders === undefined) throw noPair(`no folder ${input}`);
  const checked = await pMap(folders, (name) => findGap(store, settings, name), { concurrency: lookupsAtOnce });
  const pairs = checked.flatMap(({ name, gap }) => (gap === undefined ? [name] : []));
  const others = checked.flatMap(({ name, gap }) => (gap === undefined ? [] : [`${name} (${gap})`]));
  if (pairs.length === 0) throw noPair(describeOthers(others) ?? `no folders in ${input}`);
  const notice = describeOthers(others);
  if (notice !== undefined) onNotice(`not merged, because they are not checkpoints: ${notice}`);
  return pairs;
}

/** The pair of a folder under the input, and why it is not a checkpoint: absent when it is one. */
async function findGap(
  store: Store,
  { input, folders, targets, requireMarker }: CheckpointSettings,
  folder: string,
): Promise<{ readonly name: string; readonly gap?: string }> {
  const name = Object.hasOwn(folders, folder) ? folders[folder] : folder;
  if (!v.is(Pair, name)) return { name: JSON.stringify(folder), gap: `not a valid pair name: ${adviseOnName(folder)}` };
  const required = [`${targets}${tableSuffix}`, ...(requireMarker ? [completeMarker] : [])];
  for (const file of required)
    if ((await store.stat(store.join(input, folder, file))) === undefined) return { name, gap: `no ${file}` };
  return { name };
}

function describeOthers(others: readonly string[]): string | undefined {
  if (others.length === 0) return undefined;
  const more = others.length - namesShown;
  const shown = others.slice(0, namesShown).join(", ");
  return more > 0 ? `${shown} and ${formatCount(more)} more` : shown;
}

function noPair(found: string): Failure {
  const fix =
    "set --input to the folder that holds <pair>/targets.parquet and <pair>/_COMPLETE, or name pairs with --pairs or in a profile (--config)";
  return new Failure(ExitCode.usage, [{ what: "no pair to merge", found, fix }]);
}
