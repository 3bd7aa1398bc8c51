import { once } from "node:events";
import type { Writable } from "node:stream";
import { Failure } from "../../model/failure.ts";
import { combineCrc32c, crc32c, formatCrc32c } from "../crc32c.ts";
import type { OpenFile, StagedOutput, Written } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { isTransient, messageOf, statusOf, toStorageFailure, WireError } from "./errors.ts";
import { contentType, describeObject } from "./object.ts";
import { ScratchFolder } from "./scratch.ts";
import { checkStored, StagedObject } from "./staged-object.ts";

/** An output that is uploaded while it is made, as one resumable upload: it needs no disk. */
export class UploadedOutput implements StagedOutput {
  readonly shared = undefined;
  position = 0;
  readonly #client: GcsClient;
  readonly #path: string;
  readonly #scratch: ScratchFolder;
  readonly #stagedPath: string;
  readonly #waiting = new Set<(error: Error) => void>();
  #upload: Writable | undefined;
  /** Everything is written: the service may confirm the upload. */
  #ending = false;
  #checksum = 0;
  #failure: { readonly cause: unknown } | undefined;
  #staged: StagedObject | undefined;

  constructor(client: GcsClient, path: string) {
    this.#client = client;
    this.#path = path;
    this.#scratch = new ScratchFolder(client, path);
    this.#stagedPath = this.#scratch.path("output.parquet");
  }

  async write(bytes: Uint8Array, known?: number): Promise<void> {
    this.position += bytes.length;
    this.#checksum =
      known === undefined ? crc32c(bytes, this.#checksum) : combineCrc32c(this.#checksum, known, bytes.length);
    this.#throwIfFailed();
    this.#client.countBytes("bytesUp", bytes.length);
    // A copy, because the client keeps what it sent until the service has acknowledged it.
    const copy = Buffer.from(bytes);
    this.#upload ??= this.#start();
    const upload = this.#upload;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(reject);
      upload.write(copy, (error) => {
        this.#waiting.delete(reject);
        if (error) reject(this.#explain(error));
        else resolve();
      });
    });
  }

  link(): never {
    throw new Error("the output was not staged as linked");
  }

  async finish(): Promise<Written> {
    const written = { size: this.position, crc32c: formatCrc32c(this.#checksum) };
    await this.#end();
    // After an error too: perhaps only the answer to the last request was lost.
    const stored = await describeObject(this.#client, this.#stagedPath);
    if (stored === undefined || stored.size !== written.size) this.#throwIfFailed();
    this.#staged = new StagedObject(this.#client, checkStored(this.#stagedPath, stored, written));
    return written;
  }

  async open(): Promise<OpenFile> {
    return this.#finished().open();
  }

  publish(over?: string): Promise<void> {
    return this.#finished().publish(this.#path, over);
  }

  async discard(): Promise<void> {
    this.#upload?.destroy();
    await this.#scratch.remove();
  }

  #finished(): StagedObject {
    if (this.#staged === undefined) throw new Error("the output is not finished");
    return this.#staged;
  }

  #start(): Writable {
    this.#client.count("classA");
    const upload = this.#client.file(this.#stagedPath).createWriteStream({
      resumable: true,
      // The bytes of one request, which are kept until it is acknowledged. The service recommends 8 MiB or more.
      chunkSize: this.#client.chunkBytes,
      // `finish` compares the checksum of the written bytes with the service's.
      validation: false,
      contentType,
      preconditionOpts: { ifGenerationMatch: 0 },
    });
    // The client takes any success for the end of the upload, and would wait for ever with what is still to be sent.
    upload.on("response", ({ status }: { readonly status: number }) => {
      if (!this.#ending && status < 300)
        this.#fail(new WireError("the end of an upload was confirmed before it was sent"));
    });
    return upload.on("error", (cause) => this.#fail(cause));
  }

  #fail(cause: unknown): void {
    this.#failure ??= { cause };
    // The client forgets the callbacks of waiting writes when an upload fails for good.
    for (const reject of this.#waiting) reject(this.#explain(cause));
    this.#waiting.clear();
  }

  async #end(): Promise<void> {
    // The client cannot end an upload in chunks that has none.
    if (this.#upload === undefined)
      return this.#client.file(this.#stagedPath).save("", { resumable: false, contentType });
    if (this.#failure !== undefined) return;
    const finished = once(this.#upload, "finish");
    this.#ending = true;
    this.#upload.end();
    await finished.catch((cause: unknown) => {
      this.#failure ??= { cause };
    });
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#explain(this.#failure.cause);
  }

  /** The client takes any answer for one of the service, and fails on what it is not. */
  #explain(error: unknown): Error {
    const isKnown = error instanceof Failure || statusOf(error) !== undefined || isTransient(error);
    return toStorageFailure(isKnown ? error : new WireError(messageOf(error)), "write", this.#path);
  }
}
