/** Checks of the pages of a column chunk: their headers, and their bodies where checksums are compared. */
import { crc32 } from "node:zlib";
import { formatCount, formatNumber } from "../model/units.ts";
import { PageError } from "./encoding/encoding.ts";
import type { ColumnChunk } from "./footer.ts";
import { compareChecksum, type PageHeader, PageType, readHeader } from "./page/header.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { ThriftError } from "./thrift/thrift.ts";

/** Bytes from `start` on, at most `length` (fewer at the end of the file). Synchronous: a header is a few dozen bytes. */
export type PageSource = (start: number, length: number) => Uint8Array;

const plainCodec = 0;
const snappyCodec = 1;
/** Longer headers are damage. */
const longestHeader = 1 << 24;
/** Headers contain statistics of two values at most; these steps cover long strings without reading bodies. */
const headerGuesses = [256, 4096, 65_536, 1 << 20, longestHeader];

interface Page extends PageHeader {
  readonly headerBytes: number;
  /** Bytes that were read beyond the header, usually the first ones of the body. */
  readonly lead: Uint8Array;
}

/** The number of pages and the first problem; the check ends there, because nothing after it can be located. */
export interface PageCheck {
  readonly pages: number;
  readonly problem: string | undefined;
}

/**
 * Checks every page header of a chunk: sizes must tile the chunk exactly and value counts add up to its `num_values`.
 * With `checksums`, bodies are read and compared with the CRC32 in their header, where there is one.
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
    if (page.type !== PageType.dictionary) values += page.values;
    pages += 1;
    at += page.headerBytes + page.bodyBytes;
  }
  if (values !== chunk.values)
    return {
      pages,
      problem: `pages hold ${formatNumber(values, "value")}, the footer says ${formatCount(chunk.values)}`,
    };
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
  if (chunk.codec === plainCodec && page.bodyBytes !== page.uncompressedSize)
    return `${page.bodyBytes} bytes uncompressed, the header says ${page.uncompressedSize}`;
  if (chunk.codec === snappyCodec && page.type !== PageType.dataV2 && page.bodyBytes > 0) {
    const length = Math.min(5, page.bodyBytes);
    const stated = snappyLength(page.lead.length < length ? source(body, length) : page.lead.subarray(0, length));
    if (stated !== page.uncompressedSize) return `Snappy states ${stated} bytes, the header ${page.uncompressedSize}`;
  }
  return checksums ? compareChecksum(page, crc32(source(body, page.bodyBytes))) : undefined;
}

function readPage(source: PageSource, at: number, end: number): Page | string {
  for (const guess of headerGuesses) {
    const bytes = source(at, Math.min(guess, end - at));
    const reader = new ThriftReader(bytes);
    try {
      const header = readHeader(reader);
      return { ...header, headerBytes: reader.at, lead: bytes.subarray(reader.at) };
    } catch (error) {
      if (!(error instanceof ThriftError)) throw error;
      if (bytes.length < guess || guess === longestHeader) return `a header that cannot be read (${error.message})`;
    }
  }
  return "a header that cannot be read";
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

/** Where a column chunk is in its file. */
export type ChunkPlace = Pick<ColumnChunk, "start" | "size">;

/** A page of a chunk is not what its checksum says, or its header cannot be read. */
export class DamagedPage extends PageError {
  /** The chunk's place among those that were to be checked. */
  readonly chunk: number;

  constructor(chunk: number, message: string) {
    super(message);
    this.chunk = chunk;
  }
}

interface NumberedChunk extends ChunkPlace {
  readonly index: number;
}

/**
 * Compares page checksums while the bytes of a file pass, in order and in pieces of any size. Each page of these chunks
 * whose header has a CRC32 is summed; nothing is kept but the start of a header that a piece cuts in two.
 */
export class PassingPages {
  readonly #chunks: readonly NumberedChunk[];
  /** The current chunk, and how many of its pages have passed. */
  #chunk = 0;
  #pages = 0;
  /** The current page, once its header has passed. */
  #page: { readonly header: PageHeader; left: number; sum: number } | undefined;
  #header: Uint8Array = new Uint8Array();

  constructor(chunks: readonly ChunkPlace[]) {
    this.#chunks = chunks
      .map(({ start, size }, index) => ({ start, size, index }))
      .sort((left, right) => left.start - right.start);
  }

  /**
   * Takes bytes from `start` on, which follow those before; bytes that belong to no chunk may be left out.
   * @throws DamagedPage
   */
  pass(start: number, bytes: Uint8Array): void {
    const end = start + bytes.length;
    for (let chunk = this.#chunks[this.#chunk]; chunk !== undefined; chunk = this.#chunks[this.#chunk]) {
      const chunkEnd = chunk.start + chunk.size;
      const from = Math.max(start, chunk.start);
      if (from < end) this.#passPages(chunk, bytes.subarray(from - start, Math.min(end, chunkEnd) - start));
      if (chunkEnd > end) return;
      this.#finishChunk(chunk);
    }
  }

  #passPages(chunk: NumberedChunk, bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#page === undefined) rest = this.#openPage(chunk, rest);
      const page = this.#page;
      if (page === undefined) return;
      const body = rest.subarray(0, page.left);
      if (page.header.checksum !== undefined) page.sum = crc32(body, page.sum);
      page.left -= body.length;
      rest = rest.subarray(body.length);
      if (page.left === 0) this.#finishPage(chunk, page);
    }
  }

  /** Reads a header, if all of it has come; returns the bytes behind it. */
  #openPage(chunk: NumberedChunk, bytes: Uint8Array): Uint8Array {
    const begun = this.#header.length === 0 ? bytes : Buffer.concat([this.#header, bytes]);
    const reader = new ThriftReader(begun);
    try {
      const header = readHeader(reader);
      if (header.bodyBytes < 0) throw this.#damage(chunk, `${header.bodyBytes} bytes`);
      this.#page = { header, left: header.bodyBytes, sum: 0 };
      this.#header = new Uint8Array();
    } catch (error) {
      if (!(error instanceof ThriftError)) throw error;
      if (begun.length > longestHeader) throw this.#damage(chunk, `a header that cannot be read (${error.message})`);
      this.#header = Uint8Array.from(begun);
      return new Uint8Array();
    }
    return begun.subarray(reader.at);
  }

  #finishPage(chunk: NumberedChunk, { header, sum }: { readonly header: PageHeader; readonly sum: number }): void {
    const problem = compareChecksum(header, sum);
    if (problem !== undefined) throw this.#damage(chunk, problem);
    this.#page = undefined;
    this.#pages += 1;
  }

  #finishChunk(chunk: NumberedChunk): void {
    if (this.#header.length > 0) throw this.#damage(chunk, "a header that cannot be read");
    if (this.#page !== undefined) throw this.#damage(chunk, `${this.#page.left} bytes beyond the chunk's end`);
    this.#chunk += 1;
    this.#pages = 0;
  }

  #damage({ index }: NumberedChunk, problem: string): DamagedPage {
    return new DamagedPage(index, `page ${this.#pages}: ${problem}`);
  }
}
