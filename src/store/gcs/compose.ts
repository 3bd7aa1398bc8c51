import pMap from "p-map";
import type { InputFile } from "../../model/plan.ts";
import { MiB } from "../../model/units.ts";
import { combineCrc32c, crc32c, formatCrc32c } from "../crc32c.ts";
import type { Stage, StoredFile, Written } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { toStorageFailure } from "./errors.ts";
import { contentType, writeOnce } from "./object.ts";
import { composeObjects, verifyStaged } from "./publish.ts";
import { StagedOutput } from "./staged.ts";

/** Objects that one composition takes (Cloud Storage, objects.compose). */
const sourcesAtMost = 32;
const composesAtOnce = 8;
/** An uploaded part: large enough that a request is worth it, small enough that it can be sent again from memory. */
export const partBytes = 8 * MiB;

/** An object of the output: where it lies, and the sum that its bytes have. */
interface Piece {
  readonly path: string;
  readonly version: string;
  readonly size: number;
  readonly crc: number;
}

/**
 * An output that the service puts together: whole inputs by name, and between them parts that were uploaded. Parts go up
 * side by side, as many as `bufferBytes` holds.
 */
export class LinkedStage extends StagedOutput implements Stage {
  position = 0;
  private readonly bufferBytes: number;
  private readonly pieces: Promise<Piece>[] = [];
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private uploadingBytes = 0;
  private readonly uploads = new Set<Promise<unknown>>();

  constructor(client: GcsClient, path: string, bufferBytes: number) {
    super(client, path);
    this.bufferBytes = bufferBytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.position += bytes.length;
    for (let done = 0; done < bytes.length; ) {
      const piece = bytes.subarray(done, done + partBytes - this.waitingBytes);
      this.waiting.push(Buffer.from(piece));
      this.waitingBytes += piece.length;
      done += piece.length;
      if (this.waitingBytes >= partBytes) this.sendPart();
    }
    while (this.uploadingBytes > this.bufferBytes) await Promise.race(this.uploads);
  }

  readonly link = (file: InputFile): void => {
    if (file.crc32c === undefined) throw new Error(`${file.path} has no CRC32C`);
    this.sendPart();
    this.position += file.size;
    const { path, version, size } = file;
    this.pieces.push(Promise.resolve({ path, version, size, crc: Number.parseInt(file.crc32c, 16) }));
  };

  async finish(): Promise<Written> {
    this.sendPart();
    try {
      const pieces = await Promise.all(this.pieces);
      const sum = pieces.reduce((before, piece) => combineCrc32c(before, piece.crc, piece.size), 0);
      const written = { size: this.position, crc32c: formatCrc32c(sum) };
      this.staged = verifyStaged(this.path, await this.join(pieces, 0), written);
      return written;
    } catch (error) {
      throw toStorageFailure(error, "compose", this.path);
    }
  }

  async discard(): Promise<void> {
    this.waiting = [];
    this.waitingBytes = 0;
    await Promise.allSettled(this.pieces);
    await this.scratch.remove();
  }

  /** Starts the upload of what waits. A failure is told by `finish`, or by the next `write` that has to wait. */
  private sendPart(): void {
    if (this.waitingBytes === 0) return;
    const bytes = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    this.uploadingBytes += bytes.length;
    const upload = this.upload(bytes).finally(() => {
      this.uploadingBytes -= bytes.length;
      this.uploads.delete(upload);
    });
    this.uploads.add(upload);
    upload.catch(() => undefined);
    this.pieces.push(upload);
  }

  private async upload(bytes: Buffer): Promise<Piece> {
    const path = this.scratch.path(`part-${String(this.pieces.length).padStart(6, "0")}`);
    const crc = crc32c(bytes);
    const file = this.client.file(path);
    this.client.count("classA");
    this.client.countBytes("bytesUp", bytes.length);
    const stored = await writeOnce(this.client, file, formatCrc32c(crc), async () => {
      const options = { resumable: false, validation: false, contentType, preconditionOpts: { ifGenerationMatch: 0 } };
      await file.save(bytes, options);
      return file.metadata;
    });
    verifyStaged(path, stored, { size: bytes.length, crc32c: formatCrc32c(crc) });
    return { path, version: stored.version, size: bytes.length, crc };
  }

  /** A tree of compositions, 32 branches at each knot; the last one is the staged output. */
  private async join(pieces: readonly Piece[], level: number): Promise<StoredFile> {
    if (pieces.length <= sourcesAtMost) return (await this.compose(pieces, "output.parquet")).file;
    const groups: Piece[][] = [];
    for (let at = 0; at < pieces.length; at += sourcesAtMost) groups.push(pieces.slice(at, at + sourcesAtMost));
    const joined = await pMap(
      groups,
      async (group, index) => (await this.compose(group, `join-${level}-${String(index).padStart(6, "0")}`)).piece,
      { concurrency: composesAtOnce },
    );
    return this.join(joined, level + 1);
  }

  private async compose(pieces: readonly Piece[], name: string): Promise<{ file: StoredFile; piece: Piece }> {
    const path = this.scratch.path(name);
    const size = pieces.reduce((sum, piece) => sum + piece.size, 0);
    const crc = pieces.reduce((before, piece) => combineCrc32c(before, piece.crc, piece.size), 0);
    const file = await composeObjects(this.client, pieces, path, formatCrc32c(crc), 0);
    verifyStaged(path, file, { size, crc32c: formatCrc32c(crc) });
    return { file, piece: { path, version: file.version, size, crc } };
  }
}
