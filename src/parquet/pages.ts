/** Checks of the pages of a column chunk: their headers, and their bodies where checksums are compared. */
import { crc32 } from "node:zlib";
import type { ColumnChunk } from "./footer.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { field, ThriftError, type ThriftStruct, type ThriftValue } from "./thrift/thrift.ts";

/** Bytes from `start` on, at most `length` (fewer at the end of the file). Synchronous: a header is a few dozen bytes. */
export type PageSource = (start: number, length: number) => Uint8Array;

const PageType = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;
const plainCodec = 0;
const snappyCodec = 1;
/** Headers contain statistics of two values at most; these steps cover long strings without reading bodies. */
const headerGuesses = [256, 4096, 65_536, 1 << 20, 1 << 24];

interface Page {
  readonly type: number;
  readonly headerBytes: number;
  /** Bytes that were read beyond the header, usually the first ones of the body. */
  readonly lead: Uint8Array;
  readonly bodyBytes: number;
  readonly uncompressedBytes: number;
  readonly values: number;
  readonly checksum: number | undefined;
}

/** The number of pages and the first problem; the check ends there, because nothing after it can be located. */
export interface PageCheck {
  readonly pages: number;
  readonly problem: string | undefined;
}

/**
 * Checks every page header of a chunk: sizes must tile the chunk exactly and value counts add up to its `num_values`.
 * With `checksums`, bodies are read and compared with the CRC32 in their header, where there is one
 * (parquet.thrift, PageHeader.crc: CRC-32 with the polynomial of GZIP, of the page as stored).
 */
export function checkPages(chunk: ColumnChunk, source: PageSource, checksums = false): PageCheck {
  const end = chunk.start + chunk.size;
  let at = chunk.start;
  let values = 0;
  let pages = 0;
  while (at < end) {
    const page = readPage(source, at, end);
    if (typeof page === "string") return { pages, problem: `page ${pages}: ${page}` };
    const problem = checkPage(page, chunk, source, at, end, checksums);
    if (problem !== undefined) return { pages, problem: `page ${pages}: ${problem}` };
    if (page.type === PageType.dictionary && pages > 0)
      return { pages, problem: `page ${pages}: a dictionary page after data` };
    values += page.values;
    pages += 1;
    at += page.headerBytes + page.bodyBytes;
  }
  if (values !== chunk.values)
    return { pages, problem: `pages hold ${values} values, the footer says ${chunk.values}` };
  return { pages, problem: undefined };
}

function checkPage(
  page: Page,
  chunk: ColumnChunk,
  source: PageSource,
  at: number,
  end: number,
  checksums: boolean,
): string | undefined {
  const body = at + page.headerBytes;
  if (page.bodyBytes < 0 || body + page.bodyBytes > end)
    return `${page.bodyBytes} bytes at ${body}, beyond the chunk's end ${end}`;
  if (chunk.codec === plainCodec && page.bodyBytes !== page.uncompressedBytes)
    return `${page.bodyBytes} bytes uncompressed, the header says ${page.uncompressedBytes}`;
  if (chunk.codec === snappyCodec && page.type !== PageType.dataV2 && page.bodyBytes > 0) {
    const length = Math.min(5, page.bodyBytes);
    const stated = snappyLength(page.lead.length < length ? source(body, length) : page.lead.subarray(0, length));
    if (stated !== page.uncompressedBytes) return `Snappy states ${stated} bytes, the header ${page.uncompressedBytes}`;
  }
  if (!checksums || page.checksum === undefined) return undefined;
  const found = crc32(source(body, page.bodyBytes)) | 0;
  return found === (page.checksum | 0) ? undefined : `CRC32 ${found >>> 0}, the header says ${page.checksum >>> 0}`;
}

function readPage(source: PageSource, at: number, end: number): Page | string {
  for (const guess of headerGuesses) {
    const bytes = source(at, Math.min(guess, end - at));
    const reader = new ThriftReader(bytes);
    try {
      const header = reader.readStruct();
      return toPage(header, reader.at, bytes.subarray(reader.at));
    } catch (error) {
      if (!(error instanceof ThriftError)) throw error;
      if (bytes.length < guess || guess === headerGuesses.at(-1))
        return `a header that cannot be read (${error.message})`;
    }
  }
  return "a header that cannot be read";
}

function toPage(header: ThriftStruct, headerBytes: number, lead: Uint8Array): Page {
  const type = integer(field(header, 1));
  const data = field(header, type === PageType.dataV2 ? 8 : 5);
  const holdsValues = type === PageType.data || type === PageType.dataV2;
  const values = holdsValues && typeof data === "object" && "fields" in data ? integer(field(data, 1)) : 0;
  if (type < 0 || type > PageType.dataV2 || values < 0)
    throw new ThriftError(`page type ${type} with ${values} values`);
  const checksum = field(header, 4);
  return {
    type,
    headerBytes,
    lead,
    bodyBytes: integer(field(header, 3)),
    uncompressedBytes: integer(field(header, 2)),
    values,
    checksum: checksum === undefined ? undefined : integer(checksum),
  };
}

function integer(value: ThriftValue | undefined): number {
  if (typeof value !== "number") throw new ThriftError("a number is missing");
  return value;
}

/** A Snappy block starts with its uncompressed length as a varint (Snappy format description, section 1). */
function snappyLength(bytes: Uint8Array): number {
  let length = 0;
  for (const [index, byte] of bytes.entries()) {
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  return -1;
}
