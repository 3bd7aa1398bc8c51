/** An encoded column chunk in the making. Its memory is kept for the next one. */
export class ChunkBuffer {
  readonly #allocate: (length: number) => Uint8Array;
  #buffer: Uint8Array;
  length = 0;

  /** `allocate`: makes its memory, of a thread alone or shared. */
  constructor(allocate: (length: number) => Uint8Array = Buffer.allocUnsafeSlow) {
    this.#allocate = allocate;
    this.#buffer = allocate(1 << 20);
  }

  /** What was written so far. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#buffer.length;
  }

  /** The whole memory, with room for `length` bytes more. */
  reserve(length: number): Uint8Array {
    const needed = this.length + length;
    if (needed > this.#buffer.length) {
      const grown = this.#allocate(Math.max(needed, Math.ceil(1.5 * this.#buffer.length)));
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
