import type { ColumnChunk, Footer } from "../../parquet/footer.ts";
import { type PageSource, walkPages } from "../../parquet/pages.ts";
import type { OpenFile } from "../../store/store.ts";
import { windowBytes } from "../budget.ts";

/** Pages seen, and what is wrong with them: one sentence a column chunk. */
export interface FileWalk {
  readonly pages: number;
  readonly broken: readonly string[];
}

/** Walks every page header of a file; with `checksums` bodies are read too. */
export async function walkFile(footer: Footer, opened: OpenFile, checksums = false): Promise<FileWalk> {
  let pages = 0;
  const broken: string[] = [];
  const window = new Window(opened);
  for (const [index, group] of footer.rowGroups.entries()) {
    for (const chunk of group.rows === 0 ? [] : group.chunks) {
      const walk = walkPages(chunk, opened.isRemote ? await window.cover(chunk) : opened.peek, checksums);
      pages += walk.pages;
      if (walk.problem !== undefined)
        broken.push(`column ${chunk.path.join(".")}, row group ${index}: ${walk.problem}`);
    }
  }
  return { pages, broken };
}

/** A stretch of the file in memory; the chunks of a file come mostly in its order. */
class Window {
  private readonly opened: OpenFile;
  private start = 0;
  private bytes: Uint8Array = new Uint8Array();

  constructor(opened: OpenFile) {
    this.opened = opened;
  }

  async cover(chunk: ColumnChunk): Promise<PageSource> {
    const end = chunk.start + chunk.size;
    if (chunk.start < this.start || end > this.start + this.bytes.length) {
      const length = Math.min(Math.max(windowBytes, chunk.size), this.opened.size - chunk.start);
      this.bytes = await this.opened.read(chunk.start, length);
      this.start = chunk.start;
    }
    return (from, length) => this.bytes.subarray(from - this.start, from - this.start + length);
  }
}
