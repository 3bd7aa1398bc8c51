/** Copying of a table's column chunks from file to file: the work that is given to a thread. */
import { type ChunkPlace, PassingPages } from "../../parquet/pages.ts";
import { combineCrc32c, crc32c } from "../../store/crc32c.ts";
import { readDescriptor, writeDescriptor } from "../../store/local/file.ts";
import type { Range } from "../ranges.ts";

/** A contiguous range of input bytes that goes into the output, and how far it moves. */
export interface CopyRange extends Range {
  readonly delta: number;
}

/** A table to copy. Plain data, which can be sent to a thread. */
export interface Copy {
  /** Numbers of the open files in this process: the input, of `size` bytes, and the output. */
  readonly input: number;
  readonly size: number;
  readonly output: number;
  /** What is copied, in order. */
  readonly ranges: readonly CopyRange[];
  /** The chunks whose page checksums are compared. */
  readonly chunks: readonly ChunkPlace[];
}

/** The CRC32Cs of the whole input, and of the ranges one after the other. */
export interface CopySums {
  readonly input: number;
  readonly output: number;
}

/** Bytes of a block that go into the output, where they go, and their sum. */
export interface CopyPart {
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly crc32c: number;
}

/**
 * Copies a table: reads the file once, in order, through `block`. Synchronous: a thread that copies has nothing else to do.
 * @throws DamagedPage when a page has a checksum that is not its bytes'
 */
export function copyTable({ input, size, output, ranges, chunks }: Copy, block: Uint8Array): CopySums {
  const pages = new PassingPages(chunks);
  const sums = { input: 0, output: 0 };
  for (let at = 0; at < size; at += block.length) {
    const bytes = readDescriptor(input, at, Math.min(block.length, size - at), block);
    pages.pass(at, bytes);
    const { checksum, parts } = cutBlock(ranges, at, bytes, sums.input);
    sums.input = checksum;
    for (const part of parts) {
      writeDescriptor(output, part.to, part.bytes);
      sums.output = combineCrc32c(sums.output, part.crc32c, part.bytes.length);
    }
  }
  return sums;
}

/**
 * Those bytes of a block, which begins at byte `at` of the input, that lie in a range. `checksum`: the sum of the input up to
 * the block's end, from the one `before`; every byte is summed once.
 */
export function cutBlock(
  ranges: readonly CopyRange[],
  at: number,
  bytes: Uint8Array,
  before: number,
): { readonly checksum: number; readonly parts: readonly CopyPart[] } {
  const parts: CopyPart[] = [];
  let checksum = before;
  let done = 0;
  for (const range of ranges) {
    if (range.start >= at + bytes.length || range.end <= at) continue;
    const from = Math.max(0, range.start - at);
    const part = bytes.subarray(from, Math.min(bytes.length, range.end - at));
    const sum = crc32c(part);
    checksum = combineCrc32c(crc32c(bytes.subarray(done, from), checksum), sum, part.length);
    parts.push({ bytes: part, to: at + from + range.delta, crc32c: sum });
    done = from + part.length;
  }
  return { checksum: crc32c(bytes.subarray(done), checksum), parts };
}
