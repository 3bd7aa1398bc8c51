const smallestBlock = 1 << 20;

/**
 * Memory for one piece of work after the other: everything taken is given back at once by `reset`. Buffers made anew for
 * each column would be freed only when the collector runs, and it does not see their size as a reason to. After the first
 * few columns one block holds what a column needs.
 */
export class Arena {
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #used = 0;

  /** Bytes that it holds. */
  get size(): number {
    return this.#blocks.reduce((sum, block) => sum + block.length, 0);
  }

  /** `length` bytes, aligned to 8, that stay valid until `reset`. Their contents are undefined. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const last = this.#blocks.at(-1);
    const rounded = Math.ceil(length / 8) * 8;
    if (last !== undefined && this.#used + rounded <= last.length) {
      this.#used += rounded;
      return last.subarray(this.#used - rounded, this.#used - rounded + length);
    }
    // Slow buffers have memory of their own and are not filled with zeros.
    const block = Buffer.allocUnsafeSlow(Math.max(smallestBlock, rounded));
    this.#blocks.push(block);
    this.#used = rounded;
    return block.subarray(0, length);
  }

  int32(length: number): Int32Array<ArrayBuffer> {
    const bytes = this.bytes(4 * length);
    return new Int32Array(bytes.buffer, bytes.byteOffset, length);
  }

  float64(length: number): Float64Array<ArrayBuffer> {
    const bytes = this.bytes(8 * length);
    return new Float64Array(bytes.buffer, bytes.byteOffset, length);
  }

  /** Everything taken so far may be overwritten. */
  reset(): void {
    const size = this.size;
    // Several blocks become one of their size, so that the next column finds all it needs in it.
    if (this.#blocks.length > 1) this.#blocks = [Buffer.allocUnsafeSlow(size)];
    this.#used = 0;
  }
}
