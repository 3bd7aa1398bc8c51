import { crc32 } from "node:zlib";
import type { Arena } from "../arena.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { decodeDelta } from "../encoding/delta.ts";
import { Encoding, isDictionaryEncoding, PageError } from "../encoding/encoding.ts";
import { decodeHybrid } from "../encoding/hybrid.ts";
import { countPresent, decodeLevels, takeLevels, uniformLevel } from "../encoding/levels.ts";
import { decompress } from "../page/codec.ts";
import { compareChecksum, type Page, PageType, readPages } from "../page/header.ts";
import type { LeafShape } from "./shape.ts";
import {
  createBuilder,
  type IndexedValues,
  lookUp,
  type PlainValues,
  type ValueBuilder,
  type Values,
} from "./values.ts";

/** The entries of a nested leaf: one for each value, null or empty list. */
export interface Entries {
  /** Entries before each row, and their number at the end. */
  readonly starts: Int32Array;
  readonly repetition: Uint8Array | undefined;
  readonly definition: Uint8Array;
}

/** One leaf column of consecutive rows, decoded. */
export interface Leaf {
  readonly shape: LeafShape;
  readonly rows: number;
  /** Values before each row, and their number at the end; undefined where every row has one. */
  readonly positions: Int32Array | undefined;
  readonly values: Values;
  /** Undefined for flat columns. */
  readonly entries: Entries | undefined;
  /** Whether its pages have a CRC32 in their headers. */
  readonly checksums: boolean;
}

/** A column chunk as it lies in its file. */
export interface EncodedChunk {
  readonly bytes: Uint8Array;
  readonly codec: number;
  /** Entries: values, nulls and empty lists. */
  readonly values: number;
  readonly rows: number;
}

/** Where decoded columns lie, and where a page is unpacked before its values are taken out of it. */
export interface DecodeMemory {
  readonly column: Arena;
  readonly page: Arena;
}

/**
 * Decodes the pages of one chunk into memory of its column arena.
 * @throws PageError when a page is damaged; its message says what is wrong, not where.
 */
export function decodeChunk(chunk: EncodedChunk, shape: LeafShape, nested: boolean, memory: DecodeMemory): Leaf {
  const decoder = new ChunkDecoder(chunk, shape, nested, memory);
  let index = 0;
  for (const page of readPages(chunk.bytes)) {
    memory.page.reset();
    try {
      decoder.add(page);
    } catch (error) {
      if (error instanceof PageError) throw new PageError(`page ${index}: ${error.message}`);
      throw error;
    }
    index += 1;
  }
  return decoder.finish();
}

/** The parts of a data page; levels are left out where there is only one. */
interface PageParts {
  readonly repetition: ByteReader | undefined;
  readonly definition: ByteReader | undefined;
  readonly values: ByteReader;
}

class ChunkDecoder {
  readonly #chunk: EncodedChunk;
  readonly #shape: LeafShape;
  readonly #arena: Arena;
  readonly #pageArena: Arena;
  readonly #levels: FlatLevels | NestedLevels;
  #dictionary: PlainValues | undefined;
  #indices: Int32Array | undefined;
  #builder: ValueBuilder | undefined;
  #checksums = false;
  #entries = 0;
  #count = 0;

  constructor(chunk: EncodedChunk, shape: LeafShape, nested: boolean, { column, page }: DecodeMemory) {
    this.#chunk = chunk;
    this.#shape = shape;
    this.#arena = column;
    this.#pageArena = page;
    this.#levels = nested ? new NestedLevels(chunk, shape, column) : new FlatLevels(chunk, shape, column);
  }

  add(page: Page): void {
    if (page.checksum !== undefined) this.#checkSum(page);
    if (page.type === PageType.index) return;
    if (page.type === PageType.dictionary) return this.#addDictionary(page);
    if (page.type !== PageType.data && page.type !== PageType.dataV2)
      throw new PageError(`a page of type ${page.type}`);
    if (this.#entries + page.values > this.#chunk.values)
      throw new PageError(`more values than the ${this.#chunk.values} of the chunk`);
    const { values, definition, repetition } = this.#unpack(page);
    const present = this.#levels.add(page, repetition, definition);
    this.#entries += page.values;
    if (present > 0) this.#addValues(values, page.encoding, present);
    this.#count += present;
  }

  finish(): Leaf {
    if (this.#entries !== this.#chunk.values)
      throw new PageError(`pages of ${this.#entries} values where the footer states ${this.#chunk.values}`);
    const { rows } = this.#chunk;
    const checksums = this.#checksums;
    return { shape: this.#shape, rows, checksums, values: this.#finishValues(), ...this.#levels.finish() };
  }

  #checkSum(page: Page): void {
    const problem = compareChecksum(page, crc32(page.body));
    if (problem !== undefined) throw new PageError(problem);
    this.#checksums = true;
  }

  #finishValues(): Values {
    if (this.#builder !== undefined) return this.#builder.finish();
    if (this.#indices !== undefined) return this.#indexed(this.#indices);
    return createBuilder(this.#shape, 0, 0, this.#arena).finish();
  }

  #indexed(indices: Int32Array): IndexedValues {
    if (this.#dictionary === undefined) throw new PageError("indices without a dictionary");
    return { kind: "indexed", count: this.#count, indices, dictionary: this.#dictionary };
  }

  #addDictionary(page: Page): void {
    if (this.#dictionary !== undefined) throw new PageError("a second dictionary");
    const bytes = inflate(page.body, page.uncompressedSize, this.#chunk.codec, this.#pageArena);
    if (page.values > 8 * bytes.length) throw new PageError(`${page.values} entries in ${bytes.length} bytes`);
    const builder = createBuilder(this.#shape, page.values, bytes.length, this.#arena);
    // The dictionary itself is PLAIN, under the name of PLAIN_DICTIONARY in old files.
    builder.add(new ByteReader(bytes), 0, page.values);
    this.#dictionary = builder.finish();
  }

  #addValues(reader: ByteReader, encoding: number, count: number): void {
    if (isDictionaryEncoding(encoding) && this.#builder === undefined) {
      this.#indices ??= this.#arena.int32(this.#chunk.values);
      this.#readIndices(reader, count, this.#indices, this.#count);
      return;
    }
    this.#builder ??= this.#startPlain();
    if (!isDictionaryEncoding(encoding)) return this.#builder.add(reader, encoding, count);
    const indices = this.#pageArena.int32(count);
    this.#readIndices(reader, count, indices, 0);
    addAll(this.#builder, lookUp({ ...this.#indexed(indices), count }, this.#pageArena));
  }

  /** Plain from here on: a writer gave its dictionary up. */
  #startPlain(): ValueBuilder {
    const { values, bytes } = this.#chunk;
    const before = this.#indices === undefined ? undefined : lookUp(this.#indexed(this.#indices), this.#arena);
    const builder = createBuilder(this.#shape, values, bytes.length + (before?.bytes.length ?? 0), this.#arena);
    if (before !== undefined) addAll(builder, before);
    return builder;
  }

  #readIndices(reader: ByteReader, count: number, out: Int32Array, at: number): void {
    const entries = this.#dictionary?.count ?? 0;
    decodeHybrid(reader, reader.byte(), count, out, at);
    for (let index = at; index < at + count; index += 1)
      if ((out[index] ?? 0) >>> 0 >= entries) throw new PageError(`index ${out[index]} into ${entries} entries`);
  }

  #unpack(page: Page): PageParts {
    return unpackPage(page, this.#shape, this.#chunk.codec, this.#pageArena);
  }
}

/** The parts of a data page: levels and values, unpacked into memory of `arena`. */
function unpackPage(page: Page, shape: LeafShape, codec: number, arena: Arena): PageParts {
  const { maxDefinition, maxRepetition } = shape;
  if (page.type === PageType.dataV2) return unpackSecond(page, shape, codec, arena);
  const values = new ByteReader(inflate(page.body, page.uncompressedSize, codec, arena));
  const repetition =
    maxRepetition === 0 ? undefined : takeLevels(values, page.repetitionEncoding, maxRepetition, page.values);
  const definition =
    maxDefinition === 0 ? undefined : takeLevels(values, page.definitionEncoding, maxDefinition, page.values);
  return { repetition, definition, values };
}

/** Version 2: levels before the compressed part, without lengths of their own. */
function unpackSecond(page: Page, { maxDefinition, maxRepetition }: LeafShape, codec: number, arena: Arena): PageParts {
  const { body, repetitionBytes, definitionBytes, uncompressedSize } = page;
  const levels = repetitionBytes + definitionBytes;
  if (levels > body.length || levels > uncompressedSize) throw new PageError(`levels of ${levels} bytes`);
  const bytes = inflate(body.subarray(levels), uncompressedSize - levels, page.compressed ? codec : 0, arena);
  return {
    repetition: maxRepetition === 0 ? undefined : new ByteReader(body, 0, repetitionBytes),
    definition: maxDefinition === 0 ? undefined : new ByteReader(body, repetitionBytes, levels),
    values: new ByteReader(bytes),
  };
}

function inflate(body: Uint8Array, length: number, codec: number, arena: Arena): Uint8Array {
  if (codec === 0 && body.length === length) return body;
  // Some writers leave out the body of a page that holds no values.
  if (body.length === 0) return body;
  const bytes = arena.bytes(length);
  decompress(codec, body, bytes);
  return bytes;
}

/**
 * Bytes that the byte arrays of a chunk take without their lengths once DELTA_BYTE_ARRAY is undone: what the values share
 * with those before them counts for each. Nothing is expanded; `arena` holds one page.
 * @throws PageError when a page is damaged.
 */
export function measureExpanded(bytes: Uint8Array, codec: number, shape: LeafShape, arena: Arena): number {
  let expanded = 0;
  for (const page of readPages(bytes)) {
    if (page.encoding !== Encoding.deltaByteArray) {
      expanded += page.uncompressedSize;
      continue;
    }
    arena.reset();
    const { values } = unpackPage(page, shape, codec, arena);
    // A page of nulls has no values, and no lengths.
    if (values.at === values.end) continue;
    expanded += sumLengths(values, arena) + sumLengths(values, arena);
  }
  return expanded;
}

/** The sum of delta-encoded lengths. */
function sumLengths(reader: ByteReader, arena: Arena): number {
  let words = new Uint32Array();
  const count = decodeDelta(reader, (total) => {
    if (total > maximumValues) throw new PageError(`${total} delta-encoded lengths`);
    const taken = arena.bytes(8 * total);
    words = new Uint32Array(taken.buffer, taken.byteOffset, 2 * total);
    return words;
  });
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += words[2 * index] ?? 0;
  return sum;
}

/** A page header counts its values in 32 bits, with a sign. */
const maximumValues = 0x7fffffff;

function addAll(builder: ValueBuilder, values: PlainValues): void {
  builder.add(new ByteReader(values.bytes), 0, values.count);
}

/** The levels of a flat column: one entry a row. */
class FlatLevels {
  readonly #rows: number;
  readonly #arena: Arena;
  #positions: Int32Array | undefined;
  #at = 0;

  constructor({ rows, values }: EncodedChunk, { maxDefinition }: LeafShape, arena: Arena) {
    if (values !== rows || maxDefinition > 1) throw new PageError(`${values} values for ${rows} rows`);
    this.#rows = rows;
    this.#arena = arena;
  }

  /** Returns how many values the page has. */
  add(page: Page, _: ByteReader | undefined, definition: ByteReader | undefined): number {
    const present = definition === undefined ? page.values : this.#count(definition, page);
    this.#at += page.values;
    return present;
  }

  finish(): Pick<Leaf, "positions" | "entries"> {
    return { positions: this.#positions, entries: undefined };
  }

  #count(definition: ByteReader, { values, definitionEncoding }: Page): number {
    if (values === 0) return 0;
    if (definitionEncoding !== rle) return this.#countBits(definition, values);
    if (this.#positions === undefined) {
      const { at } = definition;
      if (uniformLevel(definition, values) === 1) return values;
      definition.at = at;
    }
    return countPresent(definition, values, this.#open(), this.#at);
  }

  #countBits(definition: ByteReader, values: number): number {
    const levels = this.#arena.bytes(values);
    decodeLevels(definition, bitPacked, 1, values, levels, 0);
    const positions = this.#open();
    for (let index = 0; index < values; index += 1)
      positions[this.#at + index + 1] = (positions[this.#at + index] ?? 0) + (levels[index] ?? 0);
    return (positions[this.#at + values] ?? 0) - (positions[this.#at] ?? 0);
  }

  /** Positions of all rows before the first page that has nulls: each row had a value. */
  #open(): Int32Array {
    if (this.#positions !== undefined) return this.#positions;
    const positions = this.#arena.int32(this.#rows + 1);
    for (let row = 0; row <= this.#at; row += 1) positions[row] = row;
    this.#positions = positions;
    return positions;
  }
}

const rle = 3;
const bitPacked = 4;

/** The levels of a leaf of a nested column; rows begin where the repetition level is 0. */
class NestedLevels {
  readonly #rows: number;
  readonly #shape: LeafShape;
  readonly #definition: Uint8Array;
  readonly #repetition: Uint8Array | undefined;
  readonly #starts: Int32Array;
  readonly #positions: Int32Array;
  #entries = 0;
  #row = 0;
  #values = 0;

  constructor({ rows, values }: EncodedChunk, shape: LeafShape, arena: Arena) {
    this.#rows = rows;
    this.#shape = shape;
    this.#definition = arena.bytes(values);
    this.#repetition = shape.maxRepetition === 0 ? undefined : arena.bytes(values);
    this.#starts = arena.int32(rows + 1);
    this.#positions = arena.int32(rows + 1);
  }

  /** Returns how many values the page has. */
  add(page: Page, repetition: ByteReader | undefined, definition: ByteReader | undefined): number {
    const { maxDefinition, maxRepetition } = this.#shape;
    const at = this.#entries;
    const before = this.#values;
    if (definition === undefined) this.#definition.fill(0, at, at + page.values);
    else decodeLevels(definition, page.definitionEncoding, maxDefinition, page.values, this.#definition, at);
    if (repetition !== undefined && this.#repetition !== undefined)
      decodeLevels(repetition, page.repetitionEncoding, maxRepetition, page.values, this.#repetition, at);
    this.#entries += page.values;
    this.#addRows(at);
    return this.#values - before;
  }

  #addRows(from: number): void {
    const { maxDefinition } = this.#shape;
    for (let entry = from; entry < this.#entries; entry += 1) {
      if (this.#repetition === undefined || this.#repetition[entry] === 0) {
        if (this.#row >= this.#rows) throw new PageError(`more rows than the ${this.#rows} of the row group`);
        this.#starts[this.#row] = entry;
        this.#positions[this.#row] = this.#values;
        this.#row += 1;
      } else if (this.#row === 0) throw new PageError("a list that begins within a row");
      if (this.#definition[entry] === maxDefinition) this.#values += 1;
    }
  }

  finish(): Pick<Leaf, "positions" | "entries"> {
    if (this.#row !== this.#rows) throw new PageError(`${this.#row} rows where the row group has ${this.#rows}`);
    this.#starts[this.#rows] = this.#entries;
    this.#positions[this.#rows] = this.#values;
    const entries = { starts: this.#starts, repetition: this.#repetition, definition: this.#definition };
    return { positions: this.#positions, entries };
  }
}
