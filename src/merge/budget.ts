/** The memory that a merge takes on purpose: sizes and counts that the stages keep to and the prediction adds up. */
import { MiB } from "../model/units.ts";

/** Tables opened at once: enough to keep storage busy, few enough that their key chunks need little memory. */
export const tablesAtOnce = 8;
/** The same over a network, where a request takes tens of milliseconds whatever its size. */
export const remoteTablesAtOnce = 16;

/**
 * Copy buffers: enough that the next read runs while the last write is under way, and small enough that a block is still
 * in the processor's cache when it is written (4 × 1 MiB copied 2.7 GB in 1.6 s where 4 × 8 MiB took 4.6 s).
 */
export const copyBlocks = 4;
export const copyBlockBytes = MiB;

/** Bytes of a stream that may wait for their upload while the next ones arrive. */
export const streamedBytes = 32 * MiB;

/** Matches of keys that are kept from the proof until the table is aligned; those of tables beyond are found once more. */
export const keptRunBytes = 32 * MiB;

/**
 * Encoded bytes of the columns of a table that are read together to be gathered: enough that reading costs little, and small
 * enough that they are still in the processor's cache when they are decoded. A larger column is read chunk by chunk.
 */
export const gatherBytes = 2 * MiB;

/** Buffers of a thread for encoded bytes: some are filled while others wait for the columns before theirs to be written. */
export const pieceBuffers = 4;

/** Decoded bytes of the columns that are compared together: some dozen columns, small against a ceiling. */
export const batchBytes = 24 * MiB;

/** Covers the footer of an output with some ten thousand columns in one read; over a network it is not guessed. */
export const outputFooterGuess = 4 * MiB;

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
