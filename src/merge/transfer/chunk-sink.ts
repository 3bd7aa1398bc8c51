import { MiB } from "../../model/units.ts";
import type { ChunkBuffer } from "../../parquet/page/chunk-buffer.ts";

/** Encoded bytes that are written at once; a row group may have a few hundred of them. */
const writeBytes = MiB;

/** Takes encoded bytes in order. */
export interface ByteSink {
  /** Resolves when `bytes` may be reused. */
  append(bytes: Uint8Array): Promise<void>;
  /** @throws the first failure of a write. */
  throwIfFailed(): void;
}

/** Collects encoded chunks and appends them to the output; its buffers are used again. */
export class ChunkSink {
  readonly #output: ByteSink;
  readonly #idle: ChunkBuffer[];
  readonly #busy: Promise<ChunkBuffer>[] = [];
  #current: ChunkBuffer | undefined;

  constructor(output: ByteSink, buffers: readonly ChunkBuffer[]) {
    this.#output = output;
    this.#idle = [...buffers];
  }

  /** A buffer for the next chunk; waits until one is free. */
  async open(): Promise<ChunkBuffer> {
    if (this.#current !== undefined && this.#current.length >= writeBytes) this.flush();
    this.#current ??= this.#idle.pop() ?? (await this.#busy.shift());
    this.#output.throwIfFailed();
    if (this.#current === undefined) throw new Error("no buffer");
    return this.#current;
  }

  /** Starts to write what was collected. */
  flush(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#busy.push(
      this.#output.append(current.bytes).then(() => {
        current.reset();
        return current;
      }),
    );
  }
}
