import type { Readable } from "node:stream";

/** Passes a stream through. Returns a function that gives its last `limitBytes` so far, as text. */
export function forwardStream(from: Readable | null, to: NodeJS.WritableStream, limitBytes: number): () => string {
  let last: Buffer = Buffer.alloc(0);
  from?.on("data", (chunk: Buffer) => {
    to.write(chunk);
    // A copy, so that the last bytes do not keep every buffer alive that they came from.
    last = Buffer.from(Buffer.concat([last, chunk]).subarray(-limitBytes));
  });
  return () => last.toString("utf8");
}
