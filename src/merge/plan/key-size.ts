/** The memory in which keys are matched: what src/parquet/key holds at once. */
import { encodedSize } from "../../parquet/column-type.ts";
import { isDictionaryEncoding } from "../../parquet/encoding/encoding.ts";
import type { ProvenTable } from "../table.ts";
import { decodedSizes, widthsOf } from "./gather-size.ts";

/** What the key of a table takes in bytes. */
export interface KeySize {
  readonly encoded: number;
  /** The memory of a decoder, which is kept for the next key: all row groups, joined, and one page. */
  readonly decoder: number;
  /** The keys in the targets' terms. */
  readonly vector: number;
  /** Finding them among the targets' keys. */
  readonly match: number;
  /** What was found, as it is kept: 8 bytes a run. */
  readonly runs: number;
}

/** `targets`: rows of the targets. */
export function keySize(table: ProvenTable, targets: number): KeySize {
  const { footer, key, proof } = table;
  const [shape] = widthsOf(key);
  if (shape === undefined) throw new Error(`no leaf in ${key.name}`);
  const groups = footer.rowGroups.flatMap(({ rows, chunks }) => {
    const chunk = chunks[key.firstLeaf];
    return rows === 0 || chunk === undefined ? [] : [{ chunk, sizes: decodedSizes(table, key, shape, chunk, rows) }];
  });
  const held = groups.reduce((sum, { sizes }) => sum + sizes.held, 0);
  const joined = groups.length > 1 ? groups.reduce((sum, { sizes }) => sum + sizes.plain, 0) : 0;
  const indexed = groups.some(({ chunk }) => chunk.encodings.some(isDictionaryEncoding));
  const page = groups.reduce((most, { sizes }) => Math.max(most, sizes.page), 0);
  const runs = 8 * countRuns(table, targets);
  return {
    encoded: encodedSize(footer, key),
    decoder: held + joined + (indexed ? proof.keyBytes : 0) + page,
    vector: proof.keyBytes,
    // Runs are collected in memory that doubles, and copied when they are complete.
    match: (proof.comparison.ordered ? 0 : hashSize(footer.rows)) + 3 * runs,
    runs,
  };
}

/** Row numbers in a table of at least twice as many places, a power of 2. */
function hashSize(rows: number): number {
  return 4 * 2 ** Math.ceil(Math.log2(Math.max(2, 2 * rows)));
}

/** Runs of a match at most: where rows are in order, one ends only at a row that is missing, or that no target has. */
function countRuns({ footer, proof: { comparison } }: ProvenTable, targets: number): number {
  const { matched, ordered } = comparison;
  return ordered ? Math.min(targets, 1 + 2 * (targets - matched) + footer.rows - matched) : targets;
}
