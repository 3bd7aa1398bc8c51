import { Arena } from "../arena.ts";
import { Encoding } from "../encoding/encoding.ts";
import type { ChunkBuffer } from "../page/chunk-buffer.ts";
import { PageType } from "../page/header.ts";
import { type PageFormat, writePage } from "../page/writer.ts";
import type { Leaf } from "./decode.ts";
import { chooseDictionary, type OutputDictionary } from "./dictionary.ts";
import { gatherPage, packBooleans } from "./page.ts";
import { cutPages } from "./page-rows.ts";
import { type RowPart, RunCursor } from "./rows.ts";
import { type Bounds, type BoundsFinder, createFinder } from "./statistics.ts";
import { type IndexedValues, lookUp } from "./values.ts";

/** A chunk that was written: what its metadata needs. Sizes in bytes. */
export interface GatheredChunk {
  /** Entries: values, nulls and empty lists. */
  readonly values: number;
  /** Undefined for columns within lists, whose nulls writers count differently. */
  readonly nulls: number | undefined;
  readonly bounds: Bounds;
  /** Bytes of the dictionary page, which comes first; 0 where there is none. */
  readonly dictionaryBytes: number;
  readonly size: number;
  readonly uncompressedSize: number;
  readonly encodings: readonly number[];
  readonly codec: number;
}

export interface GatherOptions {
  /** Definition levels that the output has above the input's: 1 where a required column becomes optional. */
  readonly deeper: 0 | 1;
  readonly format: PageFormat;
  /** Whether smallest and largest values are looked for. */
  readonly bounds: boolean;
}

/** Gathers rows of decoded leaves into chunks, one output row group after the other; its memory serves all of them. */
export class Gatherer {
  readonly #chunkArena = new Arena();
  readonly #pageArena = new Arena();
  readonly #plainArena = new Arena();
  #plain: { readonly of: Leaf; readonly leaf: Leaf } | undefined;

  /** Bytes of memory that it holds. */
  get size(): number {
    return this.#chunkArena.size + this.#pageArena.size + this.#plainArena.size;
  }

  /**
   * Appends the chunk of one output row group to `chunk`. `leaf` begins with input row `base` and holds all rows that the
   * part draws from.
   */
  gather(leaf: Leaf, base: number, part: RowPart, options: GatherOptions, chunk: ChunkBuffer): GatheredChunk {
    this.#chunkArena.reset();
    const { values } = leaf;
    const dictionary =
      values.kind === "indexed" ? chooseDictionary(leaf, values, base, part, this.#chunkArena) : undefined;
    const source = values.kind === "indexed" && dictionary === undefined ? this.#flatten(leaf, values) : leaf;
    const writer = new ChunkWriter(source, base, options, dictionary, chunk, this.#pageArena);
    const cursor = new RunCursor(part);
    for (const rows of cutPages(source, part, base)) writer.addPage(cursor, rows);
    return writer.finish();
  }

  /** The leaf without its dictionary; kept, as the next row groups may draw from the same leaf. */
  #flatten(leaf: Leaf, values: IndexedValues): Leaf {
    if (this.#plain?.of !== leaf) {
      this.#plainArena.reset();
      this.#plain = { of: leaf, leaf: { ...leaf, values: lookUp(values, this.#plainArena) } };
    }
    return this.#plain.leaf;
  }
}

class ChunkWriter {
  readonly #leaf: Leaf;
  readonly #base: number;
  readonly #options: GatherOptions;
  readonly #dictionary: OutputDictionary | undefined;
  readonly #chunk: ChunkBuffer;
  readonly #arena: Arena;
  readonly #finder: BoundsFinder | undefined;
  readonly #start: number;
  #dictionaryBytes = 0;
  #entries = 0;
  #present = 0;
  #uncompressed = 0;

  constructor(
    leaf: Leaf,
    base: number,
    options: GatherOptions,
    dictionary: OutputDictionary | undefined,
    chunk: ChunkBuffer,
    arena: Arena,
  ) {
    this.#leaf = leaf;
    this.#base = base;
    this.#options = options;
    this.#dictionary = dictionary;
    this.#chunk = chunk;
    this.#arena = arena;
    this.#finder = options.bounds ? createFinder(leaf.shape) : undefined;
    this.#start = chunk.length;
    if (dictionary !== undefined) this.#addDictionary(dictionary);
  }

  #addDictionary({ values, used }: OutputDictionary): void {
    this.#finder?.scan(values, 0, values.count, used);
    const body = this.#leaf.shape.boolean ? packBooleans(values.bytes, new Uint8Array(values.count)) : values.bytes;
    const page = { type: PageType.dictionary, values: values.count, encoding: Encoding.plain };
    this.#uncompressed += writePage(body, page, this.#options.format, this.#chunk);
    this.#dictionaryBytes = this.#chunk.length - this.#start;
  }

  addPage(cursor: RunCursor, rows: number): void {
    this.#arena.reset();
    const source = { leaf: this.#leaf, base: this.#base, dictionary: this.#dictionary, deeper: this.#options.deeper };
    const { body, entries, present } = gatherPage(source, cursor, rows, this.#finder, this.#arena);
    this.#entries += entries;
    this.#present += present;
    const encoding = this.#dictionary === undefined ? Encoding.plain : Encoding.rleDictionary;
    const page = { type: PageType.data, values: entries, encoding };
    this.#uncompressed += writePage(body, page, this.#options.format, this.#chunk);
  }

  finish(): GatheredChunk {
    const { maxRepetition } = this.#leaf.shape;
    const indices = this.#dictionary === undefined ? [] : [Encoding.rleDictionary];
    return {
      values: this.#entries,
      nulls: maxRepetition === 0 ? this.#entries - this.#present : undefined,
      bounds: this.#finder?.finish() ?? { minimum: undefined, maximum: undefined },
      dictionaryBytes: this.#dictionaryBytes,
      size: this.#chunk.length - this.#start,
      uncompressedSize: this.#uncompressed,
      encodings: [Encoding.plain, Encoding.rle, ...indices],
      codec: this.#options.format.codec,
    };
  }
}
