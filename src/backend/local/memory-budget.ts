/** The memory that the workers on this machine may use together, over all launches. */
export class MemoryBudget {
  readonly #totalBytes: number;
  /** Ceilings in bytes, by attempt. */
  readonly #taken = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** Whether another worker with this ceiling fits now. */
  fits(bytes: number): boolean {
    const used = [...this.#taken.values()].reduce((sum, taken) => sum + taken, 0);
    return used + bytes <= this.#totalBytes;
  }

  take(attempt: string, bytes: number): void {
    this.#taken.set(attempt, bytes);
  }

  /** Harmless for an attempt that has nothing to give back. */
  giveBack(attempt: string): void {
    if (this.#taken.delete(attempt)) for (const listener of this.#listeners) listener();
  }

  /** Calls the listener after every return of memory. */
  onFree(listener: () => void): void {
    this.#listeners.add(listener);
  }
}
