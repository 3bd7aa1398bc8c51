/** The body of one data page (version 1): levels and values of gathered rows. */
import type { Arena } from "../arena.ts";
import { bitWidthOf, encodeHybrid, hybridBound, writeVarint } from "../encoding/hybrid.ts";
import type { Entries, Leaf } from "./decode.ts";
import type { OutputDictionary } from "./dictionary.ts";
import { missing, type RunCursor } from "./rows.ts";
import type { BoundsFinder } from "./statistics.ts";
import { type BinaryValues, copyBytes, type FixedValues, type IndexedValues } from "./values.ts";

/** What a page is gathered from. */
export interface PageSource {
  readonly leaf: Leaf;
  /** The input row that the leaf begins with. */
  readonly base: number;
  readonly dictionary: OutputDictionary | undefined;
  /** Definition levels that the output has above the leaf's. */
  readonly deeper: 0 | 1;
}

export interface GatheredPage {
  readonly body: Uint8Array;
  readonly entries: number;
  readonly present: number;
}

/** Gathers the next `rows` rows; the body lies in `arena`. */
export function gatherPage(
  { leaf, base, dictionary, deeper }: PageSource,
  cursor: RunCursor,
  rows: number,
  finder: BoundsFinder | undefined,
  arena: Arena,
): GatheredPage {
  const pieces = takePieces(cursor, rows, base, arena);
  const levels =
    leaf.entries === undefined
      ? flatLevels(leaf, pieces, rows, deeper, arena)
      : nestedLevels(leaf, leaf.entries, pieces, deeper, arena);
  const spans = leaf.positions === undefined ? pieces : toSpans(pieces, leaf.positions, arena);
  const { values } = leaf;
  const body =
    values.kind === "fixed"
      ? gatherFixed(leaf, values, spans, levels, finder, arena)
      : values.kind === "binary"
        ? gatherBinary(values, spans, levels, finder, arena)
        : gatherIndices(values, dictionary, spans, levels, arena);
  return { body, entries: levels.entries, present: levels.present };
}

/** Pairs of a first row or value (or `missing`) and a length. */
type Pieces = Int32Array;

/** The next `rows` rows as pieces, counted from the leaf's first row. */
function takePieces(cursor: RunCursor, rows: number, base: number, arena: Arena): Pieces {
  let pieces = arena.int32(512);
  let used = 0;
  for (let left = rows; left > 0; left -= cursor.length) {
    cursor.next(left);
    if (used === pieces.length) {
      const grown = arena.int32(4 * pieces.length);
      grown.set(pieces);
      pieces = grown;
    }
    pieces[used] = cursor.source === missing ? missing : cursor.source - base;
    pieces[used + 1] = cursor.length;
    used += 2;
  }
  return pieces.subarray(0, used);
}

/** The values of pieces of rows; rows without a value take no part. */
function toSpans(pieces: Pieces, positions: Int32Array, arena: Arena): Pieces {
  const spans = arena.int32(pieces.length);
  for (let at = 0; at < pieces.length; at += 2) {
    const row = pieces[at] ?? missing;
    const first = row === missing ? missing : (positions[row] ?? 0);
    spans[at] = first;
    spans[at + 1] = row === missing ? 0 : (positions[row + (pieces[at + 1] ?? 0)] ?? 0) - first;
  }
  return spans;
}

interface Levels {
  /** Repetition and definition levels as a version 1 page has them, each behind its length. */
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  readonly entries: number;
  /** Values that are not null. */
  readonly present: number;
}

function flatLevels(leaf: Leaf, pieces: Pieces, rows: number, deeper: 0 | 1, arena: Arena): Levels {
  const bits = arena.bytes(Math.ceil(rows / 8)).fill(0);
  const present = leaf.positions === undefined ? markRows(pieces, bits) : markPresent(pieces, leaf.positions, bits);
  if (leaf.shape.maxDefinition + deeper === 0) {
    if (present !== rows) throw new Error("nulls for a required column");
    return { parts: [], length: 0, entries: rows, present };
  }
  const uniform = present === 0 || present === rows;
  const part = arena.bytes(14 + bits.length);
  let end = writeVarint(uniform ? 2 * rows : 2 * bits.length + 1, part, 4);
  if (uniform) {
    part[end] = present === 0 ? 0 : 1;
    end += 1;
  } else {
    part.set(bits, end);
    end += bits.length;
  }
  return { parts: [closePart(part, end)], length: end, entries: rows, present };
}

/** Writes the length of levels before them. */
function closePart(part: Uint8Array, end: number): Uint8Array {
  new DataView(part.buffer, part.byteOffset).setUint32(0, end - 4, true);
  return part.subarray(0, end);
}

/** Sets a bit for each row that has an input row, where all of these have a value. */
function markRows(pieces: Pieces, bits: Uint8Array): number {
  let row = 0;
  let present = 0;
  for (let at = 0; at < pieces.length; at += 2) {
    const length = pieces[at + 1] ?? 0;
    if (pieces[at] !== missing) {
      setBits(bits, row, row + length);
      present += length;
    }
    row += length;
  }
  return present;
}

function setBits(bits: Uint8Array, from: number, end: number): void {
  let at = from;
  for (; at < end && (at & 7) !== 0; at += 1) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  const whole = end >> 3;
  if (at >> 3 < whole) {
    bits.fill(0xff, at >> 3, whole);
    at = whole << 3;
  }
  for (; at < end; at += 1) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
}

function markPresent(pieces: Pieces, positions: Int32Array, bits: Uint8Array): number {
  let row = 0;
  let present = 0;
  for (let at = 0; at < pieces.length; at += 2) {
    const length = pieces[at + 1] ?? 0;
    const source = pieces[at] ?? missing;
    const values = source === missing ? 0 : (positions[source + length] ?? 0) - (positions[source] ?? 0);
    // Most pieces have values in all rows, or in none.
    if (values === length) setBits(bits, row, row + length);
    else if (values > 0) markValues(positions.subarray(source, source + length + 1), bits, row);
    present += values;
    row += length;
  }
  return present;
}

/** `positions`: of a piece, and behind it. */
function markValues(positions: Int32Array, bits: Uint8Array, row: number): void {
  let before = positions[0] ?? 0;
  let to = row;
  for (let index = 1; index < positions.length; index += 1) {
    const next = positions[index] ?? 0;
    bits[to >> 3] = (bits[to >> 3] ?? 0) | ((next - before) << (to & 7));
    before = next;
    to += 1;
  }
}

/** A row without an input row is one entry: null at the outermost level, or an empty list. */
function nestedLevels(leaf: Leaf, entries: Entries, pieces: Pieces, deeper: 0 | 1, arena: Arena): Levels {
  let count = 0;
  let present = 0;
  for (let at = 0; at < pieces.length; at += 2) {
    const [source = missing, length = 0] = [pieces[at], pieces[at + 1]];
    count += source === missing ? length : (entries.starts[source + length] ?? 0) - (entries.starts[source] ?? 0);
    if (source !== missing) present += (leaf.positions?.[source + length] ?? 0) - (leaf.positions?.[source] ?? 0);
  }
  const { maxDefinition, maxRepetition } = leaf.shape;
  const parts = [
    ...(entries.repetition === undefined
      ? []
      : [
          encodeLevels(gatherLevels(entries.repetition, entries.starts, pieces, count, 0, arena), maxRepetition, arena),
        ]),
    ...(maxDefinition + deeper === 0
      ? []
      : [
          encodeLevels(
            gatherLevels(entries.definition, entries.starts, pieces, count, deeper, arena),
            maxDefinition + deeper,
            arena,
          ),
        ]),
  ];
  return { parts, length: parts.reduce((sum, part) => sum + part.length, 0), entries: count, present };
}

function gatherLevels(
  levels: Uint8Array,
  starts: Int32Array,
  pieces: Pieces,
  count: number,
  deeper: 0 | 1,
  arena: Arena,
): Uint8Array {
  const out = arena.bytes(count);
  let to = 0;
  for (let at = 0; at < pieces.length; at += 2) {
    const [source = missing, length = 0] = [pieces[at], pieces[at + 1]];
    if (source === missing) {
      out.fill(0, to, to + length);
      to += length;
      continue;
    }
    const end = starts[source + length] ?? 0;
    for (let entry = starts[source] ?? 0; entry < end; entry += 1) {
      out[to] = (levels[entry] ?? 0) + deeper;
      to += 1;
    }
  }
  return out;
}

function encodeLevels(levels: Uint8Array, maximum: number, arena: Arena): Uint8Array {
  const bitWidth = bitWidthOf(maximum);
  const part = arena.bytes(4 + hybridBound(bitWidth, levels.length));
  return closePart(part, encodeHybrid(levels, levels.length, bitWidth, part, 4));
}

/** The body of a page with its levels in place, and room for values that starts on a multiple of 8. */
function openBody(
  { parts, length }: Levels,
  valueBytes: number,
  arena: Arena,
): { body: Uint8Array; values: Uint8Array<ArrayBuffer> } {
  const padding = (8 - (length % 8)) % 8;
  const bytes = arena.bytes(padding + length + valueBytes);
  let at = padding;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { body: bytes.subarray(padding), values: bytes.subarray(at) };
}

function gatherFixed(
  leaf: Leaf,
  source: FixedValues,
  spans: Pieces,
  levels: Levels,
  finder: BoundsFinder | undefined,
  arena: Arena,
): Uint8Array {
  const { width } = source;
  const { present } = levels;
  const { boolean } = leaf.shape;
  const { body, values } = openBody(levels, boolean ? Math.ceil(present / 8) : present * width, arena);
  const gathered = boolean ? arena.bytes(present) : values;
  if (width % 4 === 0) copyWords(source.bytes, width / 4, spans, gathered);
  else copySpans(source.bytes, width, spans, gathered);
  finder?.scan({ kind: "fixed", width, count: present, bytes: gathered }, 0, present);
  if (boolean) packBooleans(gathered, values);
  return body;
}

/** Longer spans are copied by one call. */
const fewWords = 16;

/** Values as words of 4 bytes: a number would not keep the bits of every NaN. */
function copyWords(source: Uint8Array<ArrayBuffer>, words: number, spans: Pieces, out: Uint8Array<ArrayBuffer>): void {
  const from = new Int32Array(source.buffer, source.byteOffset, source.length / 4);
  const to = new Int32Array(out.buffer, out.byteOffset, out.length / 4);
  let next = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const first = spans[at] ?? missing;
    if (first === missing) continue;
    const start = first * words;
    const length = (spans[at + 1] ?? 0) * words;
    if (length > fewWords) to.set(from.subarray(start, start + length), next);
    else for (let index = 0; index < length; index += 1) to[next + index] = from[start + index] ?? 0;
    next += length;
  }
}

function copySpans(source: Uint8Array, width: number, spans: Pieces, out: Uint8Array): void {
  let next = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const first = spans[at] ?? missing;
    if (first === missing) continue;
    const length = (spans[at + 1] ?? 0) * width;
    copyBytes(source, first * width, out, next, length);
    next += length;
  }
}

/** Booleans of a byte each as bits, least significant first. */
export function packBooleans(values: Uint8Array, out: Uint8Array): Uint8Array {
  const length = Math.ceil(values.length / 8);
  out.fill(0, 0, length);
  for (let index = 0; index < values.length; index += 1)
    out[index >> 3] = (out[index >> 3] ?? 0) | ((values[index] ?? 0) << (index & 7));
  return out.subarray(0, length);
}

function gatherBinary(
  source: BinaryValues,
  spans: Pieces,
  levels: Levels,
  finder: BoundsFinder | undefined,
  arena: Arena,
): Uint8Array {
  const { offsets } = source;
  let length = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const first = spans[at] ?? missing;
    if (first !== missing) length += (offsets[first + (spans[at + 1] ?? 0)] ?? 0) - (offsets[first] ?? 0);
  }
  const { body, values } = openBody(levels, length, arena);
  let next = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const first = spans[at] ?? missing;
    if (first === missing) continue;
    const end = first + (spans[at + 1] ?? 0);
    const start = offsets[first] ?? 0;
    const size = (offsets[end] ?? 0) - start;
    copyBytes(source.bytes, start, values, next, size);
    finder?.scan(source, first, end);
    next += size;
  }
  return body;
}

/** Indices behind their bit width (Encodings.md, "Dictionary Encoding"). */
function gatherIndices(
  { indices }: IndexedValues,
  dictionary: OutputDictionary | undefined,
  spans: Pieces,
  levels: Levels,
  arena: Arena,
): Uint8Array {
  if (dictionary === undefined) throw new Error("indices without a dictionary");
  const { places } = dictionary;
  const gathered = arena.int32(levels.present);
  let next = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const first = spans[at] ?? missing;
    if (first === missing) continue;
    const end = first + (spans[at + 1] ?? 0);
    for (let index = first; index < end; index += 1) {
      const entry = indices[index] ?? 0;
      gathered[next] = places === undefined ? entry : (places[entry] ?? 0);
      next += 1;
    }
  }
  const bitWidth = bitWidthOf(dictionary.values.count - 1);
  const { body, values } = openBody(levels, 1 + hybridBound(bitWidth, gathered.length), arena);
  values[0] = bitWidth;
  const end = encodeHybrid(gathered, gathered.length, bitWidth, values, 1);
  return body.subarray(0, levels.length + end);
}
