import { once } from "node:events";
import type { Writable } from "node:stream";
import { combineCrc32c, crc32c, formatCrc32c } from "../crc32c.ts";
import type { Stage, Written } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { toStorageFailure } from "./errors.ts";
import { contentType, describeObject } from "./object.ts";
import { verifyStaged } from "./publish.ts";
import { StagedOutput } from "./staged.ts";

/** An output that goes up as one resumable upload while it is made: nothing touches a disk. */
export class UploadStage extends StagedOutput implements Stage {
  position = 0;
  private readonly stagedPath: string;
  private upload: Writable | undefined;
  private readonly waiting = new Set<(error: Error) => void>();
  private checksum = 0;
  private failure: { readonly cause: unknown } | undefined;

  constructor(client: GcsClient, path: string) {
    super(client, path);
    this.stagedPath = this.scratch.path("output.parquet");
  }

  async write(bytes: Uint8Array, known?: number): Promise<void> {
    this.position += bytes.length;
    this.checksum =
      known === undefined ? crc32c(bytes, this.checksum) : combineCrc32c(this.checksum, known, bytes.length);
    this.throwIfFailed();
    this.client.countBytes("bytesUp", bytes.length);
    // A copy: the client keeps what it sent until the service has acknowledged it.
    const copy = Buffer.from(bytes);
    this.upload ??= this.start();
    const { upload } = this;
    await new Promise<void>((resolve, reject) => {
      this.waiting.add(reject);
      upload.write(copy, (error) => {
        this.waiting.delete(reject);
        if (error) reject(this.explain(error));
        else resolve();
      });
    });
  }

  async finish(): Promise<Written> {
    const written = { size: this.position, crc32c: formatCrc32c(this.checksum) };
    await this.end();
    // After an error too: the answer to the last request may be all that was lost.
    const staged = await describeObject(this.client, this.stagedPath);
    if (staged === undefined || staged.size !== written.size) this.throwIfFailed();
    this.staged = verifyStaged(this.stagedPath, staged, written);
    return written;
  }

  async discard(): Promise<void> {
    this.upload?.destroy();
    await this.scratch.remove();
  }

  private start(): Writable {
    this.client.count("classA");
    const upload = this.client.file(this.stagedPath).createWriteStream({
      resumable: true,
      // What is sent as one request, and kept until it is acknowledged. The service's advice is 8 MiB or more.
      chunkSize: this.client.chunkBytes,
      // The sum of what was sent is compared with the service's when all of it is there.
      validation: false,
      contentType,
      preconditionOpts: { ifGenerationMatch: 0 },
    });
    return upload.on("error", (cause) => {
      this.failure ??= { cause };
      // The client forgets those who wait when an upload fails for good.
      for (const reject of this.waiting) reject(this.explain(cause));
      this.waiting.clear();
    });
  }

  private async end(): Promise<void> {
    // The client cannot end an upload in chunks that has none.
    if (this.upload === undefined) return this.client.file(this.stagedPath).save("", { resumable: false, contentType });
    if (this.failure !== undefined) return;
    const finished = once(this.upload, "finish");
    this.upload.end();
    await finished.catch((cause: unknown) => {
      this.failure ??= { cause };
    });
  }

  private throwIfFailed(): void {
    if (this.failure !== undefined) throw this.explain(this.failure.cause);
  }

  private explain(error: unknown): Error {
    return toStorageFailure(error, "write", this.path);
  }
}
