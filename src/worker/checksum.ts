import { crc32c } from "@node-rs/crc32";
import type { OpenFile } from "../store/store.ts";
import { blockBytes } from "./blocks.ts";

/** CRC32C as the manifest writes it: 8 hexadecimal digits. */
export function formatChecksum(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** CRC32C of a whole file, read block by block. */
export async function checksumOf(opened: OpenFile): Promise<string> {
  let value = 0;
  for (let at = 0; at < opened.size; at += blockBytes) {
    value = crc32c(await opened.read(at, Math.min(blockBytes, opened.size - at)), value);
  }
  return formatChecksum(value);
}
