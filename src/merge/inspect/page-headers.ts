import type { ColumnChunk, Footer } from "../../parquet/footer.ts";
import { checkPages, type PageSource } from "../../parquet/pages.ts";
import type { OpenFile } from "../../store/store.ts";
import { windowBytes } from "../budget.ts";

/** The pages of a file, and what is wrong with them: one sentence a column chunk. */
export interface FilePages {
  readonly pages: number;
  readonly broken: readonly string[];
}

/** Checks every page header of a file; with `checksums` the bodies too. */
export async function checkFilePages(footer: Footer, opened: OpenFile, checksums = false): Promise<FilePages> {
  let pages = 0;
  const broken: string[] = [];
  const window = new ReadWindow(opened);
  for (const [index, group] of footer.rowGroups.entries()) {
    for (const chunk of group.rows === 0 ? [] : group.chunks) {
      const source = opened.isRemote ? await window.cover(chunk) : opened.peek;
      const check = checkPages(chunk, source, checksums);
      pages += check.pages;
      if (check.problem !== undefined)
        broken.push(`column ${chunk.path.join(".")}, row group ${index}: ${check.problem}`);
    }
  }
  return { pages, broken };
}

/** A range of a remote file in memory. Chunks mostly come in the order of the file, so one request covers many. */
class ReadWindow {
  readonly #opened: OpenFile;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array();

  constructor(opened: OpenFile) {
    this.#opened = opened;
  }

  async cover(chunk: ColumnChunk): Promise<PageSource> {
    const end = chunk.start + chunk.size;
    if (chunk.start < this.#start || end > this.#start + this.#bytes.length) {
      const length = Math.min(Math.max(windowBytes, chunk.size), this.#opened.size - chunk.start);
      this.#bytes = await this.#opened.read(chunk.start, length);
      this.#start = chunk.start;
    }
    const [start, bytes] = [this.#start, this.#bytes];
    return (from, length) => bytes.subarray(from - start, from - start + length);
  }
}
