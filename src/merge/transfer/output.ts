import type { InputFile } from "../../model/plan.ts";
import type { ColumnChunk, Footer, NamedColumn } from "../../parquet/footer.ts";
import { magic } from "../../parquet/footer.ts";
import { FooterBuilder } from "../../parquet/footer-builder.ts";
import type { StagedOutput } from "../../store/store.ts";
import type { Layout } from "../plan/layout.ts";

/** The file in the making: bytes appended in order, writes under way while the next bytes are prepared. */
export class Output {
  readonly footer: FooterBuilder;
  readonly #staged: StagedOutput;
  readonly #pending = new Set<Promise<void>>();
  #pendingBytes = 0;
  #failure: { readonly cause: unknown } | undefined;

  constructor(staged: StagedOutput, layout: Layout) {
    this.#staged = staged;
    this.footer = new FooterBuilder(layout);
    this.append(magic);
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#staged.position;
  }

  /** By which threads write into a file of this machine; undefined for an object. */
  get shared(): StagedOutput["shared"] {
    return this.#staged.shared;
  }

  /** Starts to append; resolves when `bytes` may be reused, also after a failure, which the next `drain` throws. */
  append(bytes: Uint8Array, crc32c?: number): Promise<void> {
    const write = this.#staged.write(bytes, crc32c).catch((cause: unknown) => {
      this.#failure ??= { cause };
    });
    this.#pendingBytes += bytes.length;
    const tracked = write.finally(() => {
      this.#pending.delete(tracked);
      this.#pendingBytes -= bytes.length;
    });
    this.#pending.add(tracked);
    return tracked;
  }

  /** Appends a whole input without its bytes passing through here; returns where it begins. */
  link(file: InputFile): number {
    const at = this.#staged.position;
    this.#staged.link(file);
    return at;
  }

  /** Enters a column in the footer whose chunks were appended, each `delta(chunk)` bytes from where it lay in `source`. */
  addColumn(source: Footer, column: NamedColumn, delta: (chunk: ColumnChunk) => number): void {
    this.footer.addColumn(source, column, delta);
  }

  /** @throws the first failure of a write. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /** Waits until at most `bytes` are still on their way. */
  async settle(bytes: number): Promise<void> {
    while (this.#pendingBytes > bytes) await Promise.race(this.#pending);
    this.throwIfFailed();
  }

  /** Waits until everything appended is written. */
  async drain(): Promise<void> {
    await Promise.all(this.#pending);
    this.throwIfFailed();
  }
}
