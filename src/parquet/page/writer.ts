import { crc32 } from "node:zlib";
import type { ChunkBuffer } from "./chunk-buffer.ts";
import { compress, compressBound, storedSize } from "./codec.ts";
import { type PageSummary, writeHeader } from "./header.ts";

/** How the pages of a chunk are stored. */
export interface PageFormat {
  readonly codec: number;
  /** Whether the input's pages were smaller compressed. */
  readonly shrinks: boolean;
  /** Pages get a CRC32 in their headers. */
  readonly checksums: boolean;
}

/** Headers of pages without statistics are shorter. */
const longestHeader = 64;

/** Appends one page; returns its size with its header, uncompressed. */
export function writePage(
  body: Uint8Array,
  page: Pick<PageSummary, "type" | "values" | "encoding">,
  { codec, shrinks, checksums }: PageFormat,
  chunk: ChunkBuffer,
): number {
  const buffer = chunk.reserve(longestHeader + compressBound(body.length));
  const describe = (compressedSize: number, checksum?: number) =>
    writeHeader({ ...page, uncompressedSize: body.length, compressedSize, checksum });
  const stored = checksums ? undefined : storedSize(codec, body.length, shrinks);
  // The header says how long the body is: where that is not known before, the body is written behind room for the header, and
  // then moved up to it.
  const known = stored === undefined ? undefined : describe(stored);
  const from = chunk.length + (known?.length ?? longestHeader);
  const end = compress(codec, body, shrinks, buffer, from);
  if (stored !== undefined && end - from !== stored) throw new Error(`a page of ${end - from} bytes, not ${stored}`);
  const header = known ?? describe(end - from, checksums ? crc32(buffer.subarray(from, end)) : undefined);
  buffer.set(header, chunk.length);
  if (known === undefined) buffer.copyWithin(chunk.length + header.length, from, end);
  chunk.length += header.length + end - from;
  return header.length + body.length;
}
