import type { Arena } from "../arena.ts";
import { bitWidthOf } from "../encoding/hybrid.ts";
import type { Leaf } from "./decode.ts";
import { missing, type RowPart } from "./rows.ts";
import { copyBytes, type IndexedValues, type PlainValues } from "./values.ts";

/** The dictionary of an output chunk. */
export interface OutputDictionary {
  readonly values: PlainValues;
  /** 1 for each entry that a gathered row uses, 0 for leftovers, which statistics must not count. */
  readonly used: Uint8Array;
  /** New place of each old entry; undefined where the dictionary is the input's. */
  readonly places: Int32Array | undefined;
}

/**
 * The input's dictionary as it is, or only the entries that gathered rows use where those are fewer than half. Undefined
 * where plain values take less space.
 */
export function chooseDictionary(
  leaf: Leaf,
  indexed: IndexedValues,
  base: number,
  part: RowPart,
  arena: Arena,
): OutputDictionary | undefined {
  const { dictionary, indices } = indexed;
  const used = arena.bytes(dictionary.count).fill(0);
  const present = markUsed(leaf, indices, base, part, used);
  const count = used.reduce((sum, mark) => sum + mark, 0);
  const keep = 2 * count >= dictionary.count;
  const entryBytes = dictionary.bytes.length / Math.max(1, dictionary.count);
  const dictionaryBytes = entryBytes * (keep ? dictionary.count : count);
  const indexBytes = (present * bitWidthOf(Math.max(0, (keep ? dictionary.count : count) - 1))) / 8;
  if (count === 0 || dictionaryBytes + indexBytes > entryBytes * present) return undefined;
  return keep ? { values: dictionary, used, places: undefined } : compact(dictionary, used, count, arena);
}

/** Marks the entries that the part's rows use; returns how many values the part has. */
function markUsed(leaf: Leaf, indices: Int32Array, base: number, { pairs }: RowPart, used: Uint8Array): number {
  let present = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    const source = pairs[at] ?? missing;
    if (source === missing) continue;
    const row = source - base;
    const end = row + (pairs[at + 1] ?? 0);
    const first = leaf.positions === undefined ? row : (leaf.positions[row] ?? 0);
    const last = leaf.positions === undefined ? end : (leaf.positions[end] ?? 0);
    for (let index = first; index < last; index += 1) used[indices[index] ?? 0] = 1;
    present += last - first;
  }
  return present;
}

function compact(dictionary: PlainValues, used: Uint8Array, count: number, arena: Arena): OutputDictionary {
  const places = arena.int32(dictionary.count);
  const values = dictionary.kind === "fixed" ? compactFixed() : compactBinary();
  return { values, used: arena.bytes(count).fill(1), places };

  function compactFixed(): PlainValues {
    const { width, bytes } = dictionary as Extract<PlainValues, { kind: "fixed" }>;
    const out = arena.bytes(count * width);
    let next = 0;
    for (let entry = 0; entry < dictionary.count; entry += 1) {
      if (used[entry] === 0) continue;
      copyBytes(bytes, entry * width, out, next * width, width);
      places[entry] = next;
      next += 1;
    }
    return { kind: "fixed", width, count, bytes: out };
  }

  function compactBinary(): PlainValues {
    const { bytes, offsets } = dictionary as Extract<PlainValues, { kind: "binary" }>;
    const ends = arena.float64(count + 1);
    const out = arena.bytes(bytes.length);
    ends[0] = 0;
    let next = 0;
    for (let entry = 0; entry < dictionary.count; entry += 1) {
      if (used[entry] === 0) continue;
      const [from = 0, to = 0] = [offsets[entry], offsets[entry + 1]];
      const at = ends[next] ?? 0;
      copyBytes(bytes, from, out, at, to - from);
      places[entry] = next;
      next += 1;
      ends[next] = at + to - from;
    }
    return { kind: "binary", count, bytes: out.subarray(0, ends[count]), offsets: ends };
  }
}
