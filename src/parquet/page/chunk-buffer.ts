/** An encoded column chunk in the making. Its memory is kept for the next one. */
export class ChunkBuffer {
  #buffer: Uint8Array<ArrayBuffer> = Buffer.allocUnsafeSlow(1 << 20);
  length = 0;

  /** What was written so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.length);
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#buffer.length;
  }

  /** The whole memory, with room for `length` bytes more. */
  reserve(length: number): Uint8Array<ArrayBuffer> {
    const needed = this.length + length;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(1.5 * this.#buffer.length)));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    return this.#buffer;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  reset(): void {
    this.length = 0;
  }
}
