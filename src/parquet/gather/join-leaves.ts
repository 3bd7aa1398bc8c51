import type { Arena } from "../arena.ts";
import type { Entries, Leaf } from "./decode.ts";
import {
  type BinaryValues,
  type FixedValues,
  type IndexedValues,
  lookUp,
  type PlainValues,
  type Values,
} from "./values.ts";

/** Leaves of consecutive row groups as one, in memory of `arena`; at least one. */
export function joinLeaves(leaves: readonly Leaf[], arena: Arena): Leaf {
  const [first] = leaves;
  if (first === undefined) throw new Error("no leaf to join");
  if (leaves.length === 1) return first;
  return {
    shape: first.shape,
    rows: leaves.reduce((sum, leaf) => sum + leaf.rows, 0),
    checksums: leaves.some((leaf) => leaf.checksums),
    positions: joinPositions(leaves, arena),
    entries: first.entries === undefined ? undefined : joinEntries(leaves, arena),
    values: joinValues(
      leaves.map((leaf) => leaf.values),
      arena,
    ),
  };
}

function joinPositions(leaves: readonly Leaf[], arena: Arena): Int32Array | undefined {
  if (leaves.every((leaf) => leaf.positions === undefined)) return undefined;
  return joinOffsets(
    leaves.map(({ positions, rows }) => ({ offsets: positions, count: rows })),
    arena,
  );
}

/** Offsets of each part continue those of the part before; where a part has none, each of its rows counts one. */
function joinOffsets(
  parts: readonly { readonly offsets: Int32Array | undefined; readonly count: number }[],
  arena: Arena,
): Int32Array {
  const joined = arena.int32(1 + parts.reduce((sum, { count }) => sum + count, 0));
  joined[0] = 0;
  let at = 0;
  for (const { offsets, count } of parts) {
    const base = joined[at] ?? 0;
    for (let index = 1; index <= count; index += 1)
      joined[at + index] = base + (offsets === undefined ? index : (offsets[index] ?? 0));
    at += count;
  }
  return joined;
}

function joinEntries(leaves: readonly Leaf[], arena: Arena): Entries {
  const parts = leaves.map(({ entries, rows }) => {
    if (entries === undefined) throw new Error("a flat leaf among nested ones");
    return { entries, rows };
  });
  const repeated = parts.flatMap(({ entries }) => (entries.repetition === undefined ? [] : [entries.repetition]));
  return {
    starts: joinOffsets(
      parts.map(({ entries, rows }) => ({ offsets: entries.starts, count: rows })),
      arena,
    ),
    definition: joinBytes(
      parts.map(({ entries }) => entries.definition),
      arena,
    ),
    repetition: repeated.length === 0 ? undefined : joinBytes(repeated, arena),
  };
}

function joinBytes(parts: readonly Uint8Array[], arena: Arena): Uint8Array<ArrayBuffer> {
  const joined = arena.bytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Larger dictionaries are not joined: looking every entry up would cost more than plain values. */
const largestDictionary = 1 << 20;

function joinValues(parts: readonly Values[], arena: Arena): Values {
  const indexed = parts.filter((part) => part.kind === "indexed");
  const held = parts.filter((part) => part.count > 0);
  const bytes = indexed.reduce((sum, { dictionary }) => sum + dictionary.bytes.length, 0);
  if (indexed.length > 0 && held.every((part) => part.kind === "indexed") && bytes <= largestDictionary)
    return joinIndexed(indexed, arena);
  const plain = parts.map((part) => (part.kind === "indexed" ? lookUp(part, arena) : part));
  const binary = plain.filter((part) => part.kind === "binary");
  // All leaves are of one type, so either all values are of one width or none are.
  return binary.length > 0
    ? joinBinary(binary, arena)
    : joinFixed(
        plain.filter((part) => part.kind === "fixed"),
        arena,
      );
}

function joinFixed(parts: readonly FixedValues[], arena: Arena): FixedValues {
  const bytes = joinBytes(
    parts.map((part) => part.bytes),
    arena,
  );
  return { kind: "fixed", width: parts[0]?.width ?? 1, count: sumCounts(parts), bytes };
}

function joinBinary(parts: readonly BinaryValues[], arena: Arena): BinaryValues {
  const offsets = arena.float64(1 + sumCounts(parts));
  offsets[0] = 0;
  let at = 0;
  for (const part of parts) {
    const base = offsets[at] ?? 0;
    for (let index = 1; index <= part.count; index += 1) offsets[at + index] = base + (part.offsets[index] ?? 0);
    at += part.count;
  }
  const bytes = joinBytes(
    parts.map((part) => part.bytes),
    arena,
  );
  return { kind: "binary", count: sumCounts(parts), bytes, offsets };
}

function sumCounts(parts: readonly Values[]): number {
  return parts.reduce((sum, part) => sum + part.count, 0);
}

/** One dictionary of the entries of all; equal entries become one. */
function joinIndexed(parts: readonly IndexedValues[], arena: Arena): IndexedValues {
  const indices = arena.int32(sumCounts(parts));
  const places = new Map<string, number>();
  const entries: { readonly dictionary: PlainValues; readonly entry: number }[] = [];
  let at = 0;
  for (const { dictionary, indices: own, count } of parts) {
    const moved = arena.int32(dictionary.count);
    for (let entry = 0; entry < dictionary.count; entry += 1) {
      const bytes = entryBytes(dictionary, entry).toString("latin1");
      const place = places.get(bytes) ?? entries.length;
      if (place === entries.length) {
        places.set(bytes, place);
        entries.push({ dictionary, entry });
      }
      moved[entry] = place;
    }
    for (let index = 0; index < count; index += 1) indices[at + index] = moved[own[index] ?? 0] ?? 0;
    at += count;
  }
  return { kind: "indexed", count: indices.length, indices, dictionary: collect(entries, parts, arena) };
}

function collect(
  entries: readonly { readonly dictionary: PlainValues; readonly entry: number }[],
  parts: readonly IndexedValues[],
  arena: Arena,
): PlainValues {
  const bytes = joinBytes(
    entries.map(({ dictionary, entry }) => entryBytes(dictionary, entry)),
    arena,
  );
  const sample = parts[0]?.dictionary;
  if (sample?.kind === "fixed") return { kind: "fixed", width: sample.width, count: entries.length, bytes };
  const offsets = arena.float64(entries.length + 1);
  offsets[0] = 0;
  for (const [index, { dictionary, entry }] of entries.entries())
    offsets[index + 1] = (offsets[index] ?? 0) + entryBytes(dictionary, entry).length;
  return { kind: "binary", count: entries.length, bytes, offsets };
}

function entryBytes(dictionary: PlainValues, entry: number): Buffer {
  const from = dictionary.kind === "fixed" ? entry * dictionary.width : (dictionary.offsets[entry] ?? 0);
  const to = dictionary.kind === "fixed" ? from + dictionary.width : (dictionary.offsets[entry + 1] ?? 0);
  return Buffer.from(dictionary.bytes.buffer, dictionary.bytes.byteOffset + from, to - from);
}
