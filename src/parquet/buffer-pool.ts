/**
 * Memory that is used again from table to table. Buffers made anew for each would be freed only when the collector
 * runs, and it does not see their size as a reason to.
 */
export class Scratch {
  private buffer = Buffer.alloc(0);
  private used = 0;

  /** `length` bytes that stay valid until `reset`. Contents are what was there before. */
  take(length: number): Uint8Array {
    if (this.used + length > this.buffer.length) {
      // What was taken before keeps the old buffer; later tables find the larger one.
      this.buffer = Buffer.allocUnsafeSlow(Math.max(this.used === 0 ? 0 : 2 * this.buffer.length, length));
      this.used = 0;
    }
    const bytes = this.buffer.subarray(this.used, this.used + length);
    this.used += length;
    return bytes;
  }

  /** Bytes that it holds on to. */
  get size(): number {
    return this.buffer.length;
  }

  /** Everything taken so far may be overwritten. */
  reset(): void {
    this.used = 0;
  }
}

/** A few scratches, one for each worker that runs at the same time. */
export class ScratchPool {
  private readonly free: Scratch[] = [];

  /** Lends a scratch for the duration of `use`. */
  async lend<Value>(use: (scratch: Scratch) => Promise<Value>): Promise<Value> {
    const scratch = this.free.pop() ?? new Scratch();
    scratch.reset();
    try {
      return await use(scratch);
    } finally {
      this.free.push(scratch);
    }
  }
}
