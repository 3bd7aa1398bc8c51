import type { Readable, Writable } from "node:stream";
import type { Exchange } from "./wire.ts";

/** Moves bytes until the source ends or so many have moved, counting them. @throws Error when either side is gone. */
export async function pump(
  source: Readable,
  sink: Writable,
  limit: number,
  exchange: Exchange,
  direction: "requestBytes" | "responseBytes" | undefined,
): Promise<void> {
  let moved = 0;
  if (limit <= 0) return;
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    const bytes = (chunk as Buffer).subarray(0, limit - moved);
    moved += bytes.length;
    if (direction !== undefined) exchange[direction] += bytes.length;
    if (!sink.write(bytes) && !sink.destroyed) await untilWritable(sink);
    if (sink.destroyed) throw new Error("the other side is gone");
    if (moved >= limit) return;
  }
}

function untilWritable(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    const goOn = () => {
      sink.off("drain", goOn).off("close", goOn);
      resolve();
    };
    sink.on("drain", goOn).on("close", goOn);
  });
}

/** Reads the rest of a source and drops it. */
export async function drain(source: Readable): Promise<void> {
  for await (const _ of source);
}
