import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readFooter } from "../src/parquet/footer-reader.ts";
import { openLocal } from "../src/store/local/file.ts";

/** Bytes that every merge has to read: footers and key columns. */
export interface Need {
  /** Footers with their length and magic number. */
  readonly footers: number;
  readonly keyChunks: number;
}

/** Adds up footers and key chunks of a checkpoint. */
export async function measureNeed(folder: string): Promise<Need> {
  let [footers, keyChunks] = [0, 0];
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".parquet"))) {
    const opened = await openLocal(join(folder, name));
    const { footer, start } = await readFooter(opened);
    footers += opened.size - start;
    const key = footer.columns.find((column) => column.name === "interval_time");
    for (const group of footer.rowGroups) keyChunks += group.chunks[key?.firstLeaf ?? 0]?.size ?? 0;
    await opened.close();
  }
  return { footers, keyChunks };
}
