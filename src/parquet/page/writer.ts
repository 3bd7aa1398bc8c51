import { crc32 } from "node:zlib";
import type { ChunkBuffer } from "./chunk-buffer.ts";
import { compress, compressBound } from "./codec.ts";
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
  // The header says how long the body is: it is written behind room for the header and then moved up to it.
  const from = chunk.length + longestHeader;
  const end = compress(codec, body, shrinks, buffer, from);
  const header = writeHeader({
    ...page,
    uncompressedSize: body.length,
    compressedSize: end - from,
    checksum: checksums ? crc32(buffer.subarray(from, end)) : undefined,
  });
  buffer.set(header, chunk.length);
  buffer.copyWithin(chunk.length + header.length, from, end);
  chunk.length += header.length + end - from;
  return header.length + body.length;
}
