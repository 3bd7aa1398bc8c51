import { setTimeout } from "node:timers/promises";
import pRetry from "p-retry";
import type { Failure } from "../../model/failure.ts";
import { formatNumber } from "../../model/units.ts";
import { inputChanged } from "../failures.ts";
import type { RemoteFile, StoredFile } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { isTransient, statusOf, toStorageFailure, WireError } from "./errors.ts";

/** An object of one generation, read by ranges; opening it makes no request. */
export function openGcs(client: GcsClient, file: Pick<StoredFile, "path" | "version" | "size">): RemoteFile {
  const check = (start: number, length: number): void => {
    if (start + length > file.size)
      throw new Error(`${file.path} ends at byte ${file.size}, ${start + length - file.size} bytes before it should`);
  };
  const stream = (start: number, length: number): AsyncIterable<Uint8Array> => {
    check(start, length);
    return streamRange(client, file, start, start + length);
  };
  return {
    isRemote: true,
    size: file.size,
    version: file.version,
    stream,
    async read(start, length, into = Buffer.allocUnsafeSlow(length)) {
      check(start, length);
      let done = 0;
      for await (const bytes of stream(start, length)) {
        into.set(bytes, done);
        done += bytes.length;
      }
      return into.length === length ? into : into.subarray(0, length);
    },
    close: async () => undefined,
  };
}

type Source = Pick<StoredFile, "path" | "version" | "size">;

/** Bytes from `start` to `end`, as they arrive. A new request goes on where a connection breaks or stalls. */
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
      const bytes = await pRetry(next, { ...options, shouldRetry: ({ error }) => isTransient(error) });
      at += bytes.length;
      client.countBytes("bytesDown", bytes.length);
      yield bytes;
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
  #left: number;
  /** What is wrong with the answer's head. */
  #wrong: WireError | undefined;
  readonly #stream;
  readonly #buffers: AsyncIterator<Uint8Array>;
  #answered = false;
  readonly #stallMilliseconds: number;
  readonly #path: string;

  constructor(client: GcsClient, source: Source, start: number, end: number) {
    client.count("classB");
    this.#left = end - start;
    this.#path = source.path;
    this.#stallMilliseconds = client.stallMilliseconds;
    this.#stream = client
      .download(source.path, source.version)
      .createReadStream({ start, end: end - 1, validation: false, decompress: false });
    this.#stream.once("response", (answer: RangeAnswer) => {
      this.#answered = true;
      this.#wrong = checkAnswer(answer, source, start, end);
    });
    this.#buffers = this.#stream[Symbol.asyncIterator]();
  }

  async next(): Promise<Uint8Array> {
    const { value, done } = await this.#withoutStall(this.#buffers.next());
    if (this.#wrong !== undefined) throw this.#wrong;
    if (done === true) throw new WireError(`the answer ends ${formatNumber(this.#left, "byte")} before its range does`);
    this.#left -= value.length;
    if (this.#left < 0) throw new WireError(`the answer goes on ${formatNumber(-this.#left, "byte")} beyond its range`);
    return value;
  }

  /**
   * Waits for the end of the answer, after the last byte. A request that is abandoned a moment earlier closes its
   * connection, and breaks the next request on that connection.
   */
  async end(): Promise<void> {
    // All bytes are here, so an error at the end of the connection does not matter.
    await this.#withoutStall(this.#buffers.next()).catch(() => undefined);
  }

  /** The client pipes an answer into the stream even if that was destroyed, and then throws where nothing can catch it. */
  close(): void {
    this.#stream.on("error", () => undefined);
    if (this.#answered) this.#stream.destroy();
    else this.#stream.once("response", () => setImmediate(() => this.#stream.destroy()));
  }

  async #withoutStall<Value>(work: Promise<Value>): Promise<Value> {
    const timer = new AbortController();
    const stalled = setTimeout(this.#stallMilliseconds, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`no byte for ${this.#stallMilliseconds / 1000} s from ${this.#path}`);
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

/** The head of an answer, as the client hands it on. */
interface RangeAnswer {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * What is wrong with the answer to a request for a range: it has to be of that very range (RFC 9110, section 15.3.7). A proxy
 * that ignores ranges sends the whole object with 200. Refusals are the client's to explain.
 */
function checkAnswer(
  { statusCode = 0, headers }: RangeAnswer,
  { size }: Source,
  start: number,
  end: number,
): WireError | undefined {
  if (statusCode >= 300) return undefined;
  if (statusCode !== 206) return new WireError(`HTTP ${statusCode} in answer to a range, where 206 was due`);
  const due = `bytes ${start}-${end - 1}/${size}`;
  const found = String(headers["content-range"]);
  return found === due ? undefined : new WireError(`Content-Range ${found}, where ${due} was due`);
}

/** An object whose listed generation is gone was replaced or deleted. */
function explainRead(error: unknown, source: Source): Failure {
  if (statusOf(error) !== 404 && statusOf(error) !== 416) return toStorageFailure(error, "read", source.path);
  return inputChanged(source.path, `no generation ${source.version}`, { cause: error });
}
