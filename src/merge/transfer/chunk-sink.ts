import { MiB } from "../../model/units.ts";
import { ChunkBuffer } from "../../parquet/page/chunk-buffer.ts";
import type { Output } from "./output.ts";

/** Encoded bytes that are written at once; a row group may have a few hundred of them. */
const writeBytes = MiB;
/** One is filled, one is on its way to the disk, one waits for its turn. */
const buffers = 3;

/** Collects encoded chunks and appends them to the output; its buffers are used again. */
export class ChunkSink {
  readonly #output: Output;
  readonly #idle: ChunkBuffer[] = Array.from({ length: buffers }, () => new ChunkBuffer());
  readonly #busy: Promise<ChunkBuffer>[] = [];
  #current: ChunkBuffer | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Where in the output the next byte goes. */
  get position(): number {
    return this.#output.position + (this.#current?.length ?? 0);
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
