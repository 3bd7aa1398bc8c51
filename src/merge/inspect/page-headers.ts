import type { Footer } from "../../parquet/footer.ts";
import { checkPages } from "../../parquet/pages.ts";
import type { LocalFile } from "../../store/store.ts";

/** The pages of a file, and what is wrong with them: one sentence a column chunk. */
export interface FilePages {
  readonly pages: number;
  readonly broken: readonly string[];
}

/** Checks every page header of a file on a disk; over a network this would be a download of the whole file. */
export function checkFilePages(footer: Footer, opened: LocalFile): FilePages {
  let pages = 0;
  const broken: string[] = [];
  for (const [index, group] of footer.rowGroups.entries()) {
    for (const chunk of group.rows === 0 ? [] : group.chunks) {
      const check = checkPages(chunk, (start, length) => opened.peek(start, length));
      pages += check.pages;
      if (check.problem !== undefined)
        broken.push(`column ${chunk.path.join(".")}, row group ${index}: ${check.problem}`);
    }
  }
  return { pages, broken };
}
