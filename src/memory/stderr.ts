import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { makeVisible } from "../model/visible.ts";

/**
 * Passes a stream of text through, with everything but its line breaks made visible: messages of libraries quote names from
 * files. Returns a function that gives its last `limitBytes` so far, as text.
 */
export function forwardStream(from: Readable | null, to: NodeJS.WritableStream, limitBytes: number): () => string {
  const decoder = new StringDecoder("utf8");
  let last: Buffer = Buffer.alloc(0);
  from?.on("data", (chunk: Buffer) => {
    to.write(decoder.write(chunk).split("\n").map(makeVisible).join("\n"));
    // A copy, so that the last bytes do not keep every buffer alive that they came from.
    last = Buffer.from(Buffer.concat([last, chunk]).subarray(-limitBytes));
  });
  return () => last.toString("utf8");
}
