/** Gathering of one leaf column: from the row groups of its file to those of the output. */
import { Arena } from "../arena.ts";
import type { ColumnChunk } from "../footer.ts";
import type { ChunkBuffer } from "../page/chunk-buffer.ts";
import { outputCodec } from "../page/codec.ts";
import type { PageFormat } from "../page/writer.ts";
import { decodeChunk, type Leaf } from "./decode.ts";
import { type GatheredChunk, Gatherer } from "./gather.ts";
import { joinLeaves } from "./join-leaves.ts";
import type { RowPart } from "./rows.ts";
import type { LeafShape } from "./shape.ts";

/** What has to be known of a chunk of the input to gather from it: plain numbers, which another thread can be given. */
export type SourceChunk = Pick<ColumnChunk, "start" | "size" | "uncompressedSize" | "codec" | "values">;

/** A row group of the input, as one leaf sees it. */
export interface SourceGroup {
  readonly rows: number;
  readonly chunk: SourceChunk;
}

/** What is to be gathered. */
export interface LeafTask {
  readonly shape: LeafShape;
  readonly nested: boolean;
  /** Row groups of the input that have rows. */
  readonly groups: readonly SourceGroup[];
  /** Row groups of the output. */
  readonly parts: readonly RowPart[];
  readonly deeper: 0 | 1;
  /** Whether the format defines an order for the column in the input's footer. */
  readonly ordered: boolean;
  /** The chunks' bytes; valid until the next call. */
  readonly read: (chunk: SourceChunk) => Promise<Uint8Array>;
}

/** Compressed pages that are hardly smaller are not worth compressing again. */
const worthwhile = 0.97;

/**
 * Gathers leaf columns, one after the other. Memory: the decoded row groups that an output row group draws from (those that
 * no later one draws from are given back), one page, and the encoded chunk.
 */
export class ColumnGatherer {
  readonly #gatherer = new Gatherer();
  readonly #pageArena = new Arena();
  readonly #joinArena = new Arena();
  readonly #free: Arena[] = [];

  /** Bytes of memory that it holds while it waits. */
  get size(): number {
    const arenas = [this.#pageArena, this.#joinArena, ...this.#free];
    return this.#gatherer.size + arenas.reduce((sum, arena) => sum + arena.size, 0);
  }

  /**
   * Appends the chunk of each output row group to the buffer that `open` gives, and yields it when it is complete.
   * @throws PageError when a page of the input is damaged.
   */
  async *gather(task: LeafTask, open: () => Promise<ChunkBuffer>): AsyncGenerator<GatheredChunk> {
    const window = new Window(task, this.#free, this.#pageArena, this.#joinArena);
    try {
      for (const part of task.parts) {
        const { leaf, base } = await window.cover(part);
        const options = { deeper: task.deeper, bounds: task.ordered, format: formatOf(task, leaf) };
        yield this.#gatherer.gather(leaf, base, part, options, await open());
      }
    } finally {
      window.close();
    }
  }
}

/** Stored as the input is: the same codec, and page checksums where it has them. */
function formatOf({ groups }: LeafTask, { checksums }: Leaf): PageFormat {
  const size = groups.reduce((sum, { chunk }) => sum + chunk.size, 0);
  const uncompressed = groups.reduce((sum, { chunk }) => sum + chunk.uncompressedSize, 0);
  return { codec: outputCodec(groups[0]?.chunk.codec ?? 0), shrinks: size < worthwhile * uncompressed, checksums };
}

/** The decoded row groups that an output row group draws from. */
class Window {
  readonly #task: LeafTask;
  readonly #free: Arena[];
  readonly #pageArena: Arena;
  readonly #joinArena: Arena;
  /** First row of each group of the input, and the number of all rows. */
  readonly #starts: readonly number[];
  /** The last part that draws from each group. */
  readonly #lastUse: readonly number[];
  readonly #decoded = new Map<number, { readonly leaf: Leaf; readonly arena: Arena }>();
  #part = 0;
  #joined: { readonly from: number; readonly to: number; readonly leaf: Leaf } | undefined;

  constructor(task: LeafTask, free: Arena[], pageArena: Arena, joinArena: Arena) {
    this.#task = task;
    this.#free = free;
    this.#pageArena = pageArena;
    this.#joinArena = joinArena;
    this.#starts = startsOf(task.groups);
    this.#lastUse = this.#findLastUses();
  }

  /** A leaf that holds every row that the next part draws from, and the input row that it begins with. */
  async cover(part: RowPart): Promise<{ readonly leaf: Leaf; readonly base: number }> {
    const { from, to } = this.#groupsOf(part);
    this.#release(from, to);
    this.#part += 1;
    if (from === to) return { leaf: this.#emptyLeaf(), base: 0 };
    if (this.#joined?.from !== from || this.#joined.to !== to) {
      const leaves: Leaf[] = [];
      for (let group = from; group < to; group += 1) leaves.push(await this.#decode(group));
      this.#joinArena.reset();
      this.#joined = { from, to, leaf: joinLeaves(leaves, this.#joinArena) };
    }
    return { leaf: this.#joined.leaf, base: this.#starts[from] ?? 0 };
  }

  close(): void {
    for (const { arena } of this.#decoded.values()) this.#free.push(arena);
    this.#decoded.clear();
  }

  async #decode(group: number): Promise<Leaf> {
    const known = this.#decoded.get(group);
    if (known !== undefined) return known.leaf;
    const source = this.#task.groups[group];
    if (source === undefined) throw new Error(`no row group ${group}`);
    const bytes = await this.#task.read(source.chunk);
    const arena = this.#free.pop() ?? new Arena();
    arena.reset();
    const memory = { column: arena, page: this.#pageArena };
    const { codec, values } = source.chunk;
    try {
      const leaf = decodeChunk(
        { bytes, codec, values, rows: source.rows },
        this.#task.shape,
        this.#task.nested,
        memory,
      );
      this.#decoded.set(group, { leaf, arena });
      return leaf;
    } catch (error) {
      this.#free.push(arena);
      throw error;
    }
  }

  /** Gives back what no part from this one on draws from. */
  #release(from: number, to: number): void {
    if (this.#joined !== undefined && (this.#joined.from < from || this.#joined.to > to)) this.#joined = undefined;
    for (const [group, { arena }] of this.#decoded) {
      if ((this.#lastUse[group] ?? -1) >= this.#part) continue;
      this.#decoded.delete(group);
      this.#free.push(arena);
    }
  }

  #findLastUses(): number[] {
    const last = this.#task.groups.map(() => -1);
    for (const [index, part] of this.#task.parts.entries()) {
      const { from, to } = this.#groupsOf(part);
      last.fill(index, from, to);
    }
    return last;
  }

  #groupsOf({ first, end }: RowPart): { readonly from: number; readonly to: number } {
    if (end === 0) return { from: 0, to: 0 };
    return { from: groupAt(this.#starts, first), to: groupAt(this.#starts, end - 1) + 1 };
  }

  #emptyLeaf(): Leaf {
    const chunk = { bytes: new Uint8Array(), codec: 0, values: 0, rows: 0 };
    return decodeChunk(chunk, this.#task.shape, this.#task.nested, { column: this.#joinArena, page: this.#pageArena });
  }
}

function startsOf(groups: readonly SourceGroup[]): number[] {
  const starts = [0];
  for (const { rows } of groups) starts.push((starts.at(-1) ?? 0) + rows);
  return starts;
}

/** The group that holds a row. */
function groupAt(starts: readonly number[], row: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
