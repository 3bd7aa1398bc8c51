import { MiB } from "../../model/units.ts";

/** The usual size of a batch of decoded columns: some dozen of them, small against a ceiling. */
export const batchBytes = 24 * MiB;

/** Entries in order, cut where their sizes pass `limit` bytes; one that is larger alone has a batch of its own. */
export function cutBatches<Entry>(
  entries: readonly Entry[],
  sizeOf: (entry: Entry) => number,
  limit: number,
): Entry[][] {
  const batches: Entry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const size = sizeOf(entry);
    if (size > room || batches.length === 0) {
      batches.push([]);
      room = limit;
    }
    batches.at(-1)?.push(entry);
    room -= size;
  }
  return batches;
}
