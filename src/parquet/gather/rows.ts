/** No input row: the output row is null. */
export const missing = -1;

/**
 * Which input row goes to each output row, as runs of consecutive rows: pairs of the first input row (or `missing`) and a
 * length. Output rows are in order. 8 bytes a run.
 */
export interface RowRuns {
  readonly rows: number;
  readonly pairs: Int32Array;
}

/** The runs of a row index: for each output row its input row, or `missing`. */
export function toRuns(index: Int32Array): RowRuns {
  const builder = new RunBuilder();
  for (const row of index) builder.add(row, 1);
  return builder.finish();
}

/** Every row in its place. */
export function identityRuns(rows: number): RowRuns {
  return { rows, pairs: rows === 0 ? new Int32Array() : Int32Array.of(0, rows) };
}

/** Collects runs; neighbours are joined. */
export class RunBuilder {
  #pairs = new Int32Array(64);
  #used = 0;
  #rows = 0;
  /** The last run, which may still grow; of no rows before the first. */
  #source = missing;
  #length = 0;

  add(source: number, length: number): void {
    if (length === 0) return;
    this.#rows += length;
    const next = this.#source === missing ? missing : this.#source + this.#length;
    if (this.#length > 0 && source === next) {
      this.#length += length;
      return;
    }
    this.#flush();
    this.#source = source;
    this.#length = length;
  }

  finish(): RowRuns {
    this.#flush();
    this.#length = 0;
    // Threads that gather the same rows share the memory.
    const pairs = new Int32Array(new SharedArrayBuffer(4 * this.#used));
    pairs.set(this.#pairs.subarray(0, this.#used));
    return { rows: this.#rows, pairs };
  }

  #flush(): void {
    if (this.#length === 0) return;
    if (this.#used === this.#pairs.length) this.#grow();
    this.#pairs[this.#used] = this.#source;
    this.#pairs[this.#used + 1] = this.#length;
    this.#used += 2;
  }

  #grow(): void {
    const grown = new Int32Array(2 * this.#pairs.length);
    grown.set(this.#pairs);
    this.#pairs = grown;
  }
}

/** The rows of one output row group. */
export interface RowPart extends RowRuns {
  /** The input rows that it draws from: `first` to before `end`; both 0 when there are none. */
  readonly first: number;
  readonly end: number;
}

/** Cuts runs into row groups of these sizes, which add up to all rows. */
export function cutRuns(runs: RowRuns, layout: readonly number[]): RowPart[] {
  const cursor = new RunCursor(runs);
  return layout.map((rows) => {
    const part = new RunBuilder();
    let first = Number.MAX_SAFE_INTEGER;
    let end = 0;
    for (let left = rows; left > 0; left -= cursor.length) {
      cursor.next(left);
      part.add(cursor.source, cursor.length);
      if (cursor.source === missing) continue;
      first = Math.min(first, cursor.source);
      end = Math.max(end, cursor.source + cursor.length);
    }
    return { ...part.finish(), first: end === 0 ? 0 : first, end };
  });
}

/** Steps through runs, in pieces of at most the rows that are asked for. */
export class RunCursor {
  /** First input row of the piece, or `missing`. */
  source: number = missing;
  /** Rows of the piece. */
  length = 0;
  readonly #pairs: Int32Array;
  #at = 0;
  #used = 0;

  constructor({ pairs }: RowRuns) {
    this.#pairs = pairs;
  }

  /** Moves to the next piece. @throws when all rows are behind it. */
  next(rows: number): void {
    const run = this.#pairs[this.#at + 1];
    if (run === undefined) throw new Error("more rows asked for than there are");
    const source = this.#pairs[this.#at] ?? missing;
    this.source = source === missing ? missing : source + this.#used;
    this.length = Math.min(rows, run - this.#used);
    this.#used += this.length;
    if (this.#used < run) return;
    this.#at += 2;
    this.#used = 0;
  }
}
