import { setTimeout } from "node:timers/promises";
import pRetry from "p-retry";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { OpenFile, StoredFile } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { isTransient, statusOf, toStorageFailure } from "./errors.ts";

/** An object of one generation, read by ranges; opening it asks for nothing. */
export function openGcs(client: GcsClient, file: Pick<StoredFile, "path" | "version" | "size">): OpenFile {
  const check = (start: number, length: number): void => {
    if (start + length > file.size)
      throw new Error(`${file.path} ends at byte ${file.size}, ${start + length - file.size} bytes before it should`);
  };
  const stream = (start: number, length: number): AsyncIterable<Uint8Array> => {
    check(start, length);
    return streamRange(client, file, start, start + length);
  };
  return {
    size: file.size,
    version: file.version,
    stream,
    async read(start, length, into = Buffer.allocUnsafeSlow(length)) {
      check(start, length);
      let done = 0;
      for await (const piece of stream(start, length)) {
        into.set(piece, done);
        done += piece.length;
      }
      return into.length === length ? into : into.subarray(0, length);
    },
    close: async () => undefined,
  };
}

type Source = Pick<StoredFile, "path" | "version">;

/** Bytes from `start` to `end`, as they arrive; a connection that breaks or stalls is made anew where it broke. */
async function* streamRange(
  client: GcsClient,
  source: Source,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = start;
  let request: RangeRequest | undefined;
  const options = { retries: client.retries, minTimeout: 500, maxTimeout: 16_000, randomize: true };
  const next = async (): Promise<Uint8Array> => {
    request ??= new RangeRequest(client, source, at, end);
    try {
      return await request.next();
    } catch (error) {
      request.close();
      request = undefined;
      throw error;
    }
  };
  try {
    while (at < end) {
      const piece = await pRetry(next, { ...options, shouldRetry: ({ error }) => isTransient(error) });
      at += piece.length;
      client.countBytes("bytesDown", piece.length);
      yield piece;
    }
    await request?.end();
  } catch (error) {
    throw explainRead(error, source);
  } finally {
    request?.close();
  }
}

/** One GET of a range, with a limit on the time without a byte. */
class RangeRequest {
  private readonly stream;
  private readonly pieces: AsyncIterator<Uint8Array>;
  private answered = false;
  private readonly stallMilliseconds: number;
  private readonly path: string;

  constructor(client: GcsClient, source: Source, start: number, end: number) {
    client.count("classB");
    this.path = source.path;
    this.stallMilliseconds = client.stallMilliseconds;
    this.stream = client
      .download(source.path, source.version)
      .createReadStream({ start, end: end - 1, validation: false, decompress: false });
    this.stream.once("response", () => {
      this.answered = true;
    });
    this.pieces = this.stream[Symbol.asyncIterator]();
  }

  async next(): Promise<Uint8Array> {
    const { value, done } = await this.withoutStall(this.pieces.next());
    if (done === true) throw new Error(`premature close of ${this.path}`);
    return value;
  }

  /**
   * After the last byte: waits for the end of the answer. A request that is given up a moment earlier takes its
   * connection along, and with it the request that has the connection next.
   */
  async end(): Promise<void> {
    // All bytes are here: how the connection ends does not matter any more.
    await this.withoutStall(this.pieces.next()).catch(() => undefined);
  }

  /** The client pipes an answer into the stream without looking whether that was destroyed, and throws where nobody hears. */
  close(): void {
    this.stream.on("error", () => undefined);
    if (this.answered) this.stream.destroy();
    else this.stream.once("response", () => setImmediate(() => this.stream.destroy()));
  }

  private async withoutStall<Value>(work: Promise<Value>): Promise<Value> {
    const timer = new AbortController();
    const stalled = setTimeout(this.stallMilliseconds, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no byte for ${this.stallMilliseconds / 1000} s from ${this.path}`);
    });
    work.catch(() => undefined);
    stalled.catch(() => undefined);
    try {
      return await Promise.race([work, stalled]);
    } finally {
      timer.abort();
    }
  }
}

/** An object that had this generation when it was listed, and has it no more, was replaced or deleted. */
function explainRead(error: unknown, source: Source): Failure {
  if (statusOf(error) !== 404 && statusOf(error) !== 416) return toStorageFailure(error, "read", source.path);
  const problem = {
    what: `${source.path} is not what it was`,
    found: `no generation ${source.version}`,
    fix: "wait until the extraction is over, then merge again",
  };
  return new Failure(ExitCode.input, [problem], { cause: error });
}
