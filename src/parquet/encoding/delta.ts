/** DELTA_BINARY_PACKED (Encodings.md, "Delta Encoding (DELTA_BINARY_PACKED = 5)"). */
import type { ByteReader } from "./byte-reader.ts";
import { PageError } from "./encoding.ts";
import { unpack } from "./hybrid.ts";

/** Values of a miniblock, as two words each; miniblocks of more values are unpacked piece by piece. */
const pieceValues = 1024;

/**
 * Decodes integers of 64 bits as pairs of words, low word first, in two's complement: `words[2i]` and `words[2i + 1]`.
 * Sums wrap around at 64 bits. `prepare` is called with the number of values and returns where the words go.
 */
export function decodeDelta(reader: ByteReader, prepare: (count: number) => Uint32Array): number {
  const blockSize = reader.varint();
  const miniblocks = reader.varint();
  const total = reader.varint();
  const size = blockSize / miniblocks;
  if (blockSize === 0 || miniblocks > blockSize || size % 8 !== 0)
    throw new PageError(`delta blocks of ${blockSize} values in ${miniblocks} miniblocks`);
  const sum = new WordSum(reader.zigzag());
  const words = prepare(total);
  if (total > 0) sum.store(words, 0);
  let done = Math.min(1, total);
  while (done < total) {
    const minimum = reader.zigzag();
    const widths = reader.skip(miniblocks);
    for (let index = 0; index < miniblocks && done < total; index += 1)
      done += addMiniblock(
        reader,
        reader.bytes[widths + index] ?? 0,
        { size, minimum, left: total - done },
        sum,
        words,
        done,
      );
  }
  return total;
}

interface Miniblock {
  readonly size: number;
  readonly minimum: bigint;
  readonly left: number;
}

function addMiniblock(
  reader: ByteReader,
  width: number,
  { size, minimum, left }: Miniblock,
  sum: WordSum,
  words: Uint32Array,
  at: number,
): number {
  if (width > 64) throw new PageError(`deltas of ${width} bits`);
  const count = Math.min(size, left);
  // The last miniblock is padded, but some writers cut it.
  const needed = Math.ceil((count * width) / 8);
  const start = reader.skip(Math.max(needed, Math.min((size / 8) * width, reader.end - reader.at)));
  const low = Number(BigInt.asUintN(32, minimum)) | 0;
  const high = Number(BigInt.asUintN(32, minimum >> 32n)) | 0;
  for (let done = 0; done < count; done += pieceValues) {
    const piece = Math.min(pieceValues, count - done);
    unpackWords(reader.bytes, start + (done / 8) * width, width, piece);
    for (let index = 0; index < piece; index += 1) {
      sum.add(deltas[2 * index] ?? 0, deltas[2 * index + 1] ?? 0);
      sum.add(low, high);
      sum.store(words, at + done + index);
    }
  }
  return count;
}

/** A running sum modulo 2 to the 64th. */
class WordSum {
  #low: number;
  #high: number;

  constructor(first: bigint) {
    this.#low = Number(BigInt.asUintN(32, first)) | 0;
    this.#high = Number(BigInt.asUintN(32, first >> 32n)) | 0;
  }

  add(low: number, high: number): void {
    const sum = (this.#low + low) | 0;
    const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
    this.#low = sum;
    this.#high = (this.#high + high + carry) | 0;
  }

  store(words: Uint32Array, index: number): void {
    words[2 * index] = this.#low;
    words[2 * index + 1] = this.#high;
  }
}

const deltas = new Int32Array(2 * pieceValues);
const singles = new Int32Array(pieceValues);

/** Unpacks `count` deltas of up to 64 bits into `deltas`. */
function unpackWords(bytes: Uint8Array, from: number, width: number, count: number): void {
  if (width <= 32) {
    unpack(bytes, from, width, count, singles, 0);
    for (let index = 0; index < count; index += 1) {
      deltas[2 * index] = singles[index] ?? 0;
      deltas[2 * index + 1] = 0;
    }
    return;
  }
  for (let index = 0; index < count; index += 1) {
    deltas[2 * index] = bitsAt(bytes, from, index * width, 32);
    deltas[2 * index + 1] = bitsAt(bytes, from, index * width + 32, width - 32);
  }
}

function bitsAt(bytes: Uint8Array, from: number, bit: number, width: number): number {
  const start = from + Math.floor(bit / 8);
  const shift = bit % 8;
  let value = 0;
  for (let index = 0; index * 8 < shift + width; index += 1) value += (bytes[start + index] ?? 0) * 2 ** (8 * index);
  // Up to 40 bits: exact in a double.
  return (Math.floor(value / 2 ** shift) % 2 ** width) | 0;
}
