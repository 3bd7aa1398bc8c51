import { MiB } from "../model/units.ts";
import { crc32c, formatCrc32c } from "./crc32c.ts";
import type { OpenFile } from "./store.ts";

const blockBytes = MiB;

/** CRC32C of a whole file, read in order. */
export async function checksumOf(opened: OpenFile): Promise<string> {
  let value = 0;
  for await (const bytes of readInOrder(opened)) value = crc32c(bytes, value);
  return formatCrc32c(value);
}

async function* readInOrder(opened: OpenFile): AsyncGenerator<Uint8Array> {
  if (opened.stream !== undefined) return yield* opened.stream(0, opened.size);
  for (let at = 0; at < opened.size; at += blockBytes)
    yield await opened.read(at, Math.min(blockBytes, opened.size - at));
}
