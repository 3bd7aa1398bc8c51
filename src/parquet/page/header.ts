/** Page headers (parquet.thrift, PageHeader and the structures below it; field numbers are its). */
import { PageError } from "../encoding/encoding.ts";
import { ThriftReader } from "../thrift/reader.ts";
import { field, ThriftError, type ThriftStruct, ThriftType, type ThriftValue } from "../thrift/thrift.ts";
import { ThriftWriter } from "../thrift/writer.ts";

export const PageType = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

/** A page of a chunk that is in memory. Sizes in bytes. */
export interface Page {
  readonly type: number;
  readonly body: Uint8Array;
  readonly uncompressedSize: number;
  readonly checksum: number | undefined;
  /** Values, nulls included. */
  readonly values: number;
  readonly encoding: number;
  readonly definitionEncoding: number;
  readonly repetitionEncoding: number;
  /** Version 2: bytes of the levels, which are never compressed, and whether the values are. */
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly compressed: boolean;
}

const rleLevels = 3;
/** A page header has about thirty values, statistics included. */
const mostHeaderValues = 1000;

/** What a page header says about every kind of page. */
export interface PageHeader {
  readonly type: number;
  /** Bytes of the page as it is stored, behind its header; whether they fit is for the reader to check. */
  readonly bodyBytes: number;
  readonly uncompressedSize: number;
  /** CRC-32 of the page as it is stored. */
  readonly checksum: number | undefined;
  /** Values of a data page, nulls included, or entries of a dictionary. */
  readonly values: number;
  /** The header of the page's own kind; index pages have none that matters. */
  readonly details: ThriftStruct | undefined;
}

/** Reads one header; the reader moves behind it. @throws ThriftError where the bytes are no header, or end within one. */
export function readHeader(reader: ThriftReader): PageHeader {
  const header = reader.limitValues(mostHeaderValues, () => reader.readStruct());
  const type = integer(header, 1);
  const details = detailsOf(header, type);
  const values = details === undefined ? 0 : integer(details, 1);
  if (type < 0 || type > PageType.dataV2 || values < 0)
    throw new ThriftError(`page type ${type} with ${values} values`);
  const checksum = field(header, 4) === undefined ? undefined : integer(header, 4);
  return { type, bodyBytes: integer(header, 3), uncompressedSize: integer(header, 2), checksum, values, details };
}

/**
 * Compares a page with the checksum in its header, where there is one (parquet.thrift, PageHeader.crc: CRC-32 with the
 * polynomial of GZIP, of the page as stored). `found`: that of the page. Returns what is wrong.
 */
export function compareChecksum({ checksum }: Pick<PageHeader, "checksum">, found: number): string | undefined {
  if (checksum === undefined || (found | 0) === (checksum | 0)) return undefined;
  return `CRC32 ${found >>> 0}, the header says ${checksum >>> 0}`;
}

/** The pages of a chunk, one after the other. @throws PageError when a header cannot be read. */
export function* readPages(chunk: Uint8Array): Generator<Page> {
  let at = 0;
  while (at < chunk.length) {
    const reader = new ThriftReader(chunk, at);
    const page = toPage(chunk, reader);
    at = reader.at + page.body.length;
    yield page;
  }
}

function toPage(chunk: Uint8Array, reader: ThriftReader): Page {
  try {
    const { bodyBytes, details, ...header } = readHeader(reader);
    if (bodyBytes < 0 || bodyBytes > chunk.length - reader.at)
      throw new PageError(`a page of ${bodyBytes} bytes beyond its chunk`);
    if (header.uncompressedSize < 0) throw new PageError(`a page of ${header.uncompressedSize} bytes unpacked`);
    const body = chunk.subarray(reader.at, reader.at + bodyBytes);
    return { ...header, body, ...describeEncodings(header.type, details) };
  } catch (error) {
    if (error instanceof ThriftError) throw new PageError(`a header that cannot be read (${error.message})`);
    throw error;
  }
}

type EncodingDescription = Omit<Page, "type" | "body" | "uncompressedSize" | "checksum" | "values">;

const rle = { definitionEncoding: rleLevels, repetitionEncoding: rleLevels };
const firstVersion = { definitionBytes: 0, repetitionBytes: 0, compressed: true };

function describeEncodings(type: number, details: ThriftStruct | undefined): EncodingDescription {
  if (details === undefined) return { encoding: 0, ...rle, ...firstVersion };
  if (type === PageType.dictionary) return { encoding: integer(details, 2), ...rle, ...firstVersion };
  if (type === PageType.data) {
    const levels = { definitionEncoding: integer(details, 3), repetitionEncoding: integer(details, 4) };
    return { encoding: integer(details, 2), ...levels, ...firstVersion };
  }
  return {
    encoding: integer(details, 4),
    ...rle,
    definitionBytes: count(details, 5),
    repetitionBytes: count(details, 6),
    compressed: field(details, 7) !== false,
  };
}

function detailsOf(header: ThriftStruct, type: number): ThriftStruct | undefined {
  const ids: Readonly<Record<number, number>> = { [PageType.data]: 5, [PageType.dictionary]: 7, [PageType.dataV2]: 8 };
  const id = ids[type];
  if (id === undefined) return undefined;
  const details = field(header, id);
  if (typeof details !== "object" || !("fields" in details))
    throw new ThriftError(`a page of type ${type} without its header`);
  return details;
}

function integer(struct: ThriftStruct, id: number): number {
  const value = field(struct, id);
  if (typeof value !== "number") throw new ThriftError(`no field ${id}`);
  return value;
}

function count(struct: ThriftStruct, id: number): number {
  const value = integer(struct, id);
  if (value < 0) throw new ThriftError(`field ${id} counts ${value}`);
  return value;
}

/** What the header of a written page says. */
export interface PageSummary {
  readonly type: typeof PageType.data | typeof PageType.dictionary;
  readonly values: number;
  readonly encoding: number;
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  readonly checksum: number | undefined;
}

/** The header of a dictionary page or a version 1 data page with RLE levels. */
export function writeHeader(page: PageSummary): Uint8Array {
  const dictionary = page.type === PageType.dictionary;
  const numbers = dictionary ? [page.values, page.encoding] : [page.values, page.encoding, rleLevels, rleLevels];
  const details = { fields: numbers.map((value, index) => number(index + 1, value)) };
  const writer = new ThriftWriter();
  writer.writeStruct({
    fields: [
      number(1, page.type),
      number(2, page.uncompressedSize),
      number(3, page.compressedSize),
      ...(page.checksum === undefined ? [] : [number(4, page.checksum | 0)]),
      { id: dictionary ? 7 : 5, type: ThriftType.struct, value: details },
    ],
  });
  return writer.bytes();
}

function number(id: number, value: ThriftValue): { id: number; type: number; value: ThriftValue } {
  return { id, type: ThriftType.i32, value };
}
