import type { Readable } from "node:stream";

/** Passes a stream through and keeps its end. Returns a function that gives the last `limitBytes` as text. */
export function createTail(from: Readable | null, to: NodeJS.WritableStream, limitBytes: number): () => string {
  let kept: Buffer = Buffer.alloc(0);
  from?.on("data", (chunk: Buffer) => {
    to.write(chunk);
    // A copy, so that a long tail does not keep every chunk alive that it was cut from.
    kept = Buffer.from(Buffer.concat([kept, chunk]).subarray(-limitBytes));
  });
  return () => kept.toString("utf8");
}
