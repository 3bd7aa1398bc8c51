import pMap from "p-map";
import type { InputFile } from "../../model/plan.ts";
import { MiB } from "../../model/units.ts";
import { combineCrc32c, crc32c, formatCrc32c } from "../crc32c.ts";
import type { OpenFile, StagedOutput, StoredFile, Written } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { toStorageFailure } from "./errors.ts";
import { composeObjects, contentType, writeOnce } from "./object.ts";
import { ScratchFolder } from "./scratch.ts";
import { checkStored, StagedObject } from "./staged-object.ts";

/** The most objects that one composition takes (Cloud Storage, objects.compose). */
const sourcesAtMost = 32;
const composesAtOnce = 8;
/** An uploaded part: large enough that a request is worth it, small enough that it can be sent again from memory. */
export const partBytes = 8 * MiB;
/** Bytes of parts that may be on their way at once. */
const defaultBufferBytes = 4 * partBytes;

/** An object that becomes a range of the output; `crc` is the CRC32C of its bytes. */
interface Component {
  readonly path: string;
  readonly version: string;
  readonly size: number;
  readonly crc: number;
}

/**
 * An output that the service composes of whole inputs, by name, and of uploaded parts between them. Parts are uploaded
 * concurrently, as many as `bufferBytes` holds.
 */
export class ComposedOutput implements StagedOutput {
  readonly shared = undefined;
  position = 0;
  readonly #client: GcsClient;
  readonly #path: string;
  readonly #bufferBytes: number;
  readonly #scratch: ScratchFolder;
  readonly #components: Promise<Component>[] = [];
  readonly #uploads = new Set<Promise<unknown>>();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #uploadingBytes = 0;
  #staged: StagedObject | undefined;

  constructor(client: GcsClient, path: string, bufferBytes = defaultBufferBytes) {
    this.#client = client;
    this.#path = path;
    this.#bufferBytes = bufferBytes;
    this.#scratch = new ScratchFolder(client, path);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.position += bytes.length;
    for (let done = 0; done < bytes.length; ) {
      const slice = bytes.subarray(done, done + partBytes - this.#waitingBytes);
      this.#waiting.push(Buffer.from(slice));
      this.#waitingBytes += slice.length;
      done += slice.length;
      if (this.#waitingBytes >= partBytes) this.#sendPart();
    }
    while (this.#uploadingBytes > this.#bufferBytes) await Promise.race(this.#uploads);
  }

  link({ path, version, size, crc32c: sum }: InputFile): void {
    if (sum === undefined) throw new Error(`${path} has no CRC32C`);
    this.#sendPart();
    this.position += size;
    this.#components.push(Promise.resolve({ path, version, size, crc: Number.parseInt(sum, 16) }));
  }

  async finish(): Promise<Written> {
    this.#sendPart();
    try {
      const { file, component } = await this.#join(await Promise.all(this.#components), 0);
      const written = { size: this.position, crc32c: formatCrc32c(component.crc) };
      this.#staged = new StagedObject(this.#client, checkStored(this.#path, file, written));
      return written;
    } catch (error) {
      throw toStorageFailure(error, "compose", this.#path);
    }
  }

  async open(): Promise<OpenFile> {
    return this.#finished().open();
  }

  publish(over?: string): Promise<void> {
    return this.#finished().publish(this.#path, over);
  }

  async discard(): Promise<void> {
    this.#waiting = [];
    this.#waitingBytes = 0;
    await Promise.allSettled(this.#components);
    await this.#scratch.remove();
  }

  #finished(): StagedObject {
    if (this.#staged === undefined) throw new Error("the output is not finished");
    return this.#staged;
  }

  /** Starts the upload of the bytes that wait. `finish`, or the next `write` that has to wait, reports a failure. */
  #sendPart(): void {
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#uploadingBytes += bytes.length;
    const upload = this.#upload(bytes).finally(() => {
      this.#uploadingBytes -= bytes.length;
      this.#uploads.delete(upload);
    });
    this.#uploads.add(upload);
    upload.catch(() => undefined);
    this.#components.push(upload);
  }

  async #upload(bytes: Buffer): Promise<Component> {
    const path = this.#scratch.path(`part-${String(this.#components.length).padStart(6, "0")}`);
    const crc = crc32c(bytes);
    const file = this.#client.file(path);
    this.#client.count("classA");
    this.#client.countBytes("bytesUp", bytes.length);
    const stored = await writeOnce(this.#client, file, formatCrc32c(crc), async () => {
      const options = { resumable: false, validation: false, contentType, preconditionOpts: { ifGenerationMatch: 0 } };
      await file.save(bytes, options);
      return file.metadata;
    });
    checkStored(path, stored, { size: bytes.length, crc32c: formatCrc32c(crc) });
    return { path, version: stored.version, size: bytes.length, crc };
  }

  /** A tree of compositions with up to 32 branches at each node; its root is the staged output. */
  async #join(components: readonly Component[], level: number): Promise<Composed> {
    if (components.length <= sourcesAtMost) return this.#compose(components, "output.parquet");
    const groups: Component[][] = [];
    for (let at = 0; at < components.length; at += sourcesAtMost) groups.push(components.slice(at, at + sourcesAtMost));
    const joined = await pMap(
      groups,
      async (group, index) => (await this.#compose(group, `join-${level}-${String(index).padStart(6, "0")}`)).component,
      { concurrency: composesAtOnce },
    );
    return this.#join(joined, level + 1);
  }

  async #compose(sources: readonly Component[], name: string): Promise<Composed> {
    const path = this.#scratch.path(name);
    const size = sources.reduce((sum, component) => sum + component.size, 0);
    const crc = sources.reduce((before, component) => combineCrc32c(before, component.crc, component.size), 0);
    const file = await composeObjects(this.#client, { sources, path, crc32c: formatCrc32c(crc), over: 0 });
    checkStored(path, file, { size, crc32c: formatCrc32c(crc) });
    return { file, component: { path, version: file.version, size, crc } };
  }
}

interface Composed {
  readonly file: StoredFile;
  readonly component: Component;
}
