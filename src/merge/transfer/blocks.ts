import { MiB } from "../../model/units.ts";

/**
 * Copy buffers: enough that the next read runs while the last write is under way, and small enough that a block is still
 * in the processor's cache when it is written (4 × 1 MiB copied 2.7 GB in 1.6 s where 4 × 8 MiB took 4.6 s).
 */
export const blocks = 4;
export const blockBytes = MiB;

/** A fixed set of buffers, handed out one at a time; the bound on what a copy keeps in memory. */
export class BlockPool {
  private readonly free: Uint8Array[] = [];
  private readonly waiting: ((block: Uint8Array) => void)[] = [];
  private made = 0;

  /** A buffer of `blockBytes`; waits until one is free. */
  async acquire(): Promise<Uint8Array> {
    const block = this.free.pop();
    if (block !== undefined) return block;
    if (this.made < blocks) {
      this.made += 1;
      return Buffer.allocUnsafeSlow(blockBytes);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release(block: Uint8Array): void {
    const next = this.waiting.shift();
    if (next === undefined) this.free.push(block);
    else next(block);
  }
}
