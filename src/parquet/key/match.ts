import type { DuplicatePolicy } from "../../model/settings.ts";
import { missing, type RowRuns, RunBuilder } from "../gather/rows.ts";
import type { ByteKeys, KeyVector, WordKeys } from "./key-vector.ts";

/** What a table's keys have to do with the targets' keys; rows counted. */
export interface KeyMatch {
  /** Same keys in the same order. */
  readonly equal: boolean;
  /** Whether the table's rows come in the order of the targets' rows that they are matched with. */
  readonly ordered: boolean;
  readonly nulls: number;
  /** Rows beyond the first of each key. */
  readonly repeated: number;
  /** The first row whose key another row has too. */
  readonly firstRepeated: number | undefined;
  /** Targets' rows that the table has a row for. */
  readonly matched: number;
  /** The table's row for each row of the targets. */
  readonly runs: RowRuns;
}

/**
 * Looks the targets' keys up in a table's: by one merge where both are sorted, by hash otherwise. `targets` has no repeated
 * keys. Memory: 8 bytes a run, and for the hash 8 to 16 bytes a row.
 */
export function matchKeys(table: KeyVector, targets: KeyVector, duplicates: DuplicatePolicy): KeyMatch {
  const keys = comparerOf(table, targets);
  const order = keys.sorted();
  const found = order ? mergeKeys(keys, table, targets, duplicates) : hashKeys(keys, table, targets, duplicates);
  const { pairs } = found.runs;
  const inPlace = pairs.length === 0 || (pairs.length === 2 && pairs[0] === 0);
  const equal = table.rows === targets.rows && found.matched === targets.rows && inPlace;
  return { ...found, equal, ordered: isOrdered(found.runs), nulls: table.nulls };
}

function isOrdered({ pairs }: RowRuns): boolean {
  let before = missing;
  for (let at = 0; at < pairs.length; at += 2) {
    const source = pairs[at] ?? missing;
    if (source === missing) continue;
    if (source < before) return false;
    before = source;
  }
  return true;
}

/** Repeated keys of one vector. */
export function findRepeated(keys: KeyVector): Pick<KeyMatch, "nulls" | "repeated" | "firstRepeated"> {
  const { repeated, firstRepeated, nulls } = matchKeys(keys, keys, "first");
  return { repeated, firstRepeated, nulls };
}

/** Compares keys of a table and of the targets by their rows. */
interface KeyComparer {
  /** Whether both are in ascending order, rows without a key left out. */
  sorted(): boolean;
  /** Below 0 where the table's key comes first. */
  compare(row: number, target: number): number;
  /** How many rows from `row` on, each with another key, have the keys of as many targets from `target` on; or fewer. */
  countEqual(row: number, target: number): number;
  sameRows(row: number, other: number): boolean;
  hashRow(row: number): number;
  hashTarget(target: number): number;
}

function comparerOf(table: KeyVector, targets: KeyVector): KeyComparer {
  const [left, right] = [table.values, targets.values];
  if (left.kind === "words" && right.kind === "words") return new WordComparer(left, right, table, targets);
  if (left.kind === "bytes" && right.kind === "bytes") return new ByteComparer(left, right, table, targets);
  throw new Error("keys of two kinds");
}

function isAscending({ rows, skip }: KeyVector, compare: (before: number, row: number) => number): boolean {
  let before = -1;
  for (let row = 0; row < rows; row += 1) {
    if (skip?.[row] === 1) continue;
    if (before >= 0 && compare(before, row) > 0) return false;
    before = row;
  }
  return true;
}

/** Whether targets are in order: looked up once, as all tables are compared with the same ones. */
const sortedTargets = new WeakMap<KeyVector, boolean>();

function isSortedTarget(targets: KeyVector, look: () => boolean): boolean {
  const known = sortedTargets.get(targets) ?? look();
  sortedTargets.set(targets, known);
  return known;
}

function areBytesAscending(keys: ByteKeys, vector: KeyVector): boolean {
  return isAscending(vector, (before, row) => compareBytes(keys, before, keys, row));
}

function areWordsAscending(words: WordKeys["words"], vector: KeyVector): boolean {
  if (vector.skip !== undefined) return isAscending(vector, (before, row) => compareWords(words, before, words, row));
  for (let row = 1; row < vector.rows; row += 1) if (compareWords(words, row - 1, words, row) > 0) return false;
  return true;
}

class WordComparer implements KeyComparer {
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #table: KeyVector;
  readonly #targets: KeyVector;

  constructor(left: WordKeys, right: WordKeys, table: KeyVector, targets: KeyVector) {
    this.#left = left.words;
    this.#right = right.words;
    this.#table = table;
    this.#targets = targets;
  }

  sorted(): boolean {
    return (
      isSortedTarget(this.#targets, () => areWordsAscending(this.#right, this.#targets)) &&
      areWordsAscending(this.#left, this.#table)
    );
  }

  compare(row: number, target: number): number {
    return compareWords(this.#left, row, this.#right, target);
  }

  countEqual(row: number, target: number): number {
    if (this.#table.skip !== undefined || this.#targets.skip !== undefined) return 0;
    const [left, right] = [this.#left, this.#right];
    const end = Math.min(this.#table.rows - row, this.#targets.rows - target);
    let count = 0;
    while (
      count < end &&
      compareWords(left, row + count, right, target + count) === 0 &&
      (count === 0 || compareWords(left, row + count - 1, left, row + count) !== 0)
    )
      count += 1;
    return count;
  }

  sameRows(row: number, other: number): boolean {
    return compareWords(this.#left, row, this.#left, other) === 0;
  }

  hashRow(row: number): number {
    return hashWords(this.#left, row);
  }

  hashTarget(target: number): number {
    return hashWords(this.#right, target);
  }
}

/** In the order of signed numbers; which order it is does not matter, as long as it is one. */
function compareWords(left: Int32Array, row: number, right: Int32Array, other: number): number {
  const high = left[2 * row + 1] ?? 0;
  const otherHigh = right[2 * other + 1] ?? 0;
  if (high !== otherHigh) return high < otherHigh ? -1 : 1;
  return ((left[2 * row] ?? 0) >>> 0) - ((right[2 * other] ?? 0) >>> 0);
}

function hashWords(words: Int32Array, row: number): number {
  const mixed = Math.imul(words[2 * row] ?? 0, 0x9e3779b1) ^ Math.imul(words[2 * row + 1] ?? 0, 0x85ebca6b);
  return spread(mixed);
}

/** Spreads differences of high bits over the low ones (the finish of MurmurHash3). */
function spread(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}

class ByteComparer implements KeyComparer {
  readonly #left: ByteKeys;
  readonly #right: ByteKeys;
  readonly #table: KeyVector;
  readonly #targets: KeyVector;

  constructor(left: ByteKeys, right: ByteKeys, table: KeyVector, targets: KeyVector) {
    this.#left = left;
    this.#right = right;
    this.#table = table;
    this.#targets = targets;
  }

  sorted(): boolean {
    return (
      isSortedTarget(this.#targets, () => areBytesAscending(this.#right, this.#targets)) &&
      areBytesAscending(this.#left, this.#table)
    );
  }

  compare(row: number, target: number): number {
    return compareBytes(this.#left, row, this.#right, target);
  }

  countEqual(): number {
    return 0;
  }

  sameRows(row: number, other: number): boolean {
    return compareBytes(this.#left, row, this.#left, other) === 0;
  }

  hashRow(row: number): number {
    return hashBytes(this.#left, row);
  }

  hashTarget(target: number): number {
    return hashBytes(this.#right, target);
  }
}

function compareBytes(left: ByteKeys, row: number, right: ByteKeys, other: number): number {
  const [from = 0, end = 0] = [left.starts[row], left.ends[row]];
  const [otherFrom = 0, otherEnd = 0] = [right.starts[other], right.ends[other]];
  const length = Math.min(end - from, otherEnd - otherFrom);
  for (let index = 0; index < length; index += 1) {
    const difference = (left.bytes[from + index] ?? 0) - (right.bytes[otherFrom + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return end - from - (otherEnd - otherFrom);
}

function hashBytes({ bytes, starts, ends }: ByteKeys, row: number): number {
  let hash = 0x811c9dc5;
  const end = ends[row] ?? 0;
  for (let at = starts[row] ?? 0; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return spread(hash);
}

type Found = Omit<KeyMatch, "equal" | "ordered" | "nulls">;

/** Both in ascending order: one pass over both. */
function mergeKeys(keys: KeyComparer, table: KeyVector, targets: KeyVector, duplicates: DuplicatePolicy): Found {
  const runs = new RunBuilder();
  let repeated = 0;
  let firstRepeated: number | undefined;
  let matched = 0;
  let target = 0;
  let row = nextRow(table, 0);
  while (row < table.rows) {
    // The last of the equal ones may be repeated.
    const passed = Math.max(0, keys.countEqual(row, target) - 1);
    runs.add(row, passed);
    matched += passed;
    target += passed;
    row += passed;
    let next = nextRow(table, row + 1);
    let chosen = row;
    while (next < table.rows && keys.sameRows(row, next)) {
      repeated += 1;
      firstRepeated ??= row;
      if (duplicates === "last") chosen = next;
      next = nextRow(table, next + 1);
    }
    while (target < targets.rows && (targets.skip?.[target] === 1 || keys.compare(row, target) > 0)) {
      runs.add(missing, 1);
      target += 1;
    }
    if (target < targets.rows && keys.compare(row, target) === 0) {
      runs.add(chosen, 1);
      matched += 1;
      target += 1;
    }
    row = next;
  }
  if (target < targets.rows) runs.add(missing, targets.rows - target);
  return { repeated, firstRepeated, matched, runs: runs.finish() };
}

/** The first row from `row` on that has a key. */
function nextRow({ rows, skip }: KeyVector, row: number): number {
  let next = row;
  while (next < rows && skip?.[next] === 1) next += 1;
  return next;
}

function hashKeys(keys: KeyComparer, table: KeyVector, targets: KeyVector, duplicates: DuplicatePolicy): Found {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * table.rows)));
  // Row numbers plus 1; 0 is an empty place. Collisions go to the next place.
  const places = new Int32Array(size);
  let repeated = 0;
  let firstRepeated: number | undefined;
  for (let row = nextRow(table, 0); row < table.rows; row = nextRow(table, row + 1)) {
    let place = keys.hashRow(row) & (size - 1);
    while (places[place] !== 0 && !keys.sameRows((places[place] ?? 0) - 1, row)) place = (place + 1) & (size - 1);
    const before = (places[place] ?? 0) - 1;
    if (before >= 0) {
      repeated += 1;
      firstRepeated = Math.min(firstRepeated ?? before, before);
    }
    if (before < 0 || duplicates === "last") places[place] = row + 1;
  }
  return { repeated, firstRepeated, ...probe(keys, places, targets) };
}

function probe(keys: KeyComparer, places: Int32Array, targets: KeyVector): Pick<Found, "matched" | "runs"> {
  const runs = new RunBuilder();
  const mask = places.length - 1;
  let matched = 0;
  for (let target = 0; target < targets.rows; target += 1) {
    let place = keys.hashTarget(target) & mask;
    while (places[place] !== 0 && keys.compare((places[place] ?? 0) - 1, target) !== 0) place = (place + 1) & mask;
    const row = targets.skip?.[target] === 1 ? missing : (places[place] ?? 0) - 1;
    runs.add(row, 1);
    if (row !== missing) matched += 1;
  }
  return { matched, runs: runs.finish() };
}
