import pMap from "p-map";
import type { RunSettings } from "../model/settings.ts";
import { checkStanding, type Standing } from "./completion.ts";
import type { RunStore } from "./paths.ts";

/** What a run would do, by what lies in the store. */
export interface RunPlan {
  readonly standings: readonly Standing[];
  /** Pairs that have to be merged, or looked at by a worker, in order. */
  readonly toDo: readonly string[];
}

/** A manifest of 17,000 columns is 2 MB of JSON: as many at once as keep a network busy and memory small. */
const pairsAtOnce = 4;

/** Looks at every pair. Nothing is written. */
export async function planRun(store: RunStore, settings: RunSettings, pairs: readonly string[]): Promise<RunPlan> {
  const standings = await pMap(pairs, (pair) => checkStanding(store, settings, pair), { concurrency: pairsAtOnce });
  return { standings, toDo: standings.filter(({ verdict }) => verdict !== "done").map(({ pair }) => pair) };
}

/** Bytes a second that a merge reads on an ordinary disk, and over a network. */
const diskRate = 600e6;
const networkRate = 100e6;

/** A rough guess of the seconds a merge takes, before anything but sizes is known. */
export function guessSeconds(inputBytes: number, overNetwork: boolean): number {
  return 0.5 + inputBytes / (overNetwork ? networkRate : diskRate);
}
