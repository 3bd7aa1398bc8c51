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

/** The pages of a chunk, one after the other. @throws PageError when a header cannot be read. */
export function* readPages(chunk: Uint8Array): Generator<Page> {
  let at = 0;
  while (at < chunk.length) {
    const reader = new ThriftReader(chunk, at);
    const page = toPage(readHeader(reader), chunk, reader);
    at = reader.at + page.body.length;
    yield page;
  }
}

function readHeader(reader: ThriftReader): ThriftStruct {
  try {
    return reader.readStruct();
  } catch (error) {
    if (error instanceof ThriftError) throw new PageError(`a header that cannot be read (${error.message})`);
    throw error;
  }
}

function toPage(header: ThriftStruct, chunk: Uint8Array, reader: ThriftReader): Page {
  const type = integer(header, 1);
  const size = count(header, 3);
  if (size > chunk.length - reader.at) throw new PageError(`a page of ${size} bytes beyond its chunk`);
  return {
    type,
    body: chunk.subarray(reader.at, reader.at + size),
    uncompressedSize: count(header, 2),
    checksum: field(header, 4) === undefined ? undefined : integer(header, 4),
    ...describeValues(type, detailsOf(header, type)),
  };
}

type ValueDescription = Omit<Page, "type" | "body" | "uncompressedSize" | "checksum">;

const rle = { definitionEncoding: rleLevels, repetitionEncoding: rleLevels };
const firstVersion = { definitionBytes: 0, repetitionBytes: 0, compressed: true };

function describeValues(type: number, details: ThriftStruct | undefined): ValueDescription {
  if (details === undefined) return { values: 0, encoding: 0, ...rle, ...firstVersion };
  const values = count(details, 1);
  if (type === PageType.dictionary) return { values, encoding: integer(details, 2), ...rle, ...firstVersion };
  if (type === PageType.data) {
    const levels = { definitionEncoding: integer(details, 3), repetitionEncoding: integer(details, 4) };
    return { values, encoding: integer(details, 2), ...levels, ...firstVersion };
  }
  return {
    values,
    encoding: integer(details, 4),
    ...rle,
    definitionBytes: count(details, 5),
    repetitionBytes: count(details, 6),
    compressed: field(details, 7) !== false,
  };
}

/** The header of the page's own kind; index pages have none that matters. */
function detailsOf(header: ThriftStruct, type: number): ThriftStruct | undefined {
  const ids: Readonly<Record<number, number>> = { [PageType.data]: 5, [PageType.dictionary]: 7, [PageType.dataV2]: 8 };
  const id = ids[type];
  if (id === undefined) return undefined;
  const details = field(header, id);
  if (typeof details !== "object" || !("fields" in details))
    throw new PageError(`a page of type ${type} without its header`);
  return details;
}

function integer(struct: ThriftStruct, id: number): number {
  const value = field(struct, id);
  if (typeof value !== "number") throw new PageError(`a page header without field ${id}`);
  return value;
}

function count(struct: ThriftStruct, id: number): number {
  const value = integer(struct, id);
  if (value < 0) throw new PageError(`a page header that counts ${value}`);
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
