/**
 * Memory that is used again from table to table. New buffers for each table would be freed only when the collector runs,
 * and memory outside its own heap gives it no reason to run.
 */
export class ReusableBuffer {
  #buffer = Buffer.alloc(0);
  #used = 0;

  /** `length` bytes that stay valid until `reset`; their content is undefined. */
  take(length: number): Uint8Array {
    if (this.#used + length > this.#buffer.length) {
      // Bytes taken before keep the old buffer alive; later tables find the larger one.
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(this.#used === 0 ? 0 : 2 * this.#buffer.length, length));
      this.#used = 0;
    }
    const bytes = this.#buffer.subarray(this.#used, this.#used + length);
    this.#used += length;
    return bytes;
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#buffer.length;
  }

  /** Everything taken so far may be overwritten. */
  reset(): void {
    this.#used = 0;
  }
}

/** A few buffers, one for each task that runs at the same time. */
export class BufferPool {
  readonly #free: ReusableBuffer[] = [];

  /** Lends a buffer while `use` runs. */
  async lend<Value>(use: (buffer: ReusableBuffer) => Promise<Value>): Promise<Value> {
    const buffer = this.#free.pop() ?? new ReusableBuffer();
    buffer.reset();
    try {
      return await use(buffer);
    } finally {
      this.#free.push(buffer);
    }
  }
}
