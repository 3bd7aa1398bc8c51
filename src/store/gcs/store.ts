import pRetry from "p-retry";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import type { Traffic } from "../../model/measurement.ts";
import { formatGcsPath, joinGcsPath, parseGcsPath } from "../../model/storage-path.ts";
import { crc32c, formatCrc32c } from "../crc32c.ts";
import type {
  FolderContent,
  ListedVersion,
  OpenFile,
  StagedOutput,
  StageOptions,
  Store,
  StoredFile,
} from "../store.ts";
import { GcsClient, type GcsOptions } from "./client.ts";
import { ComposedOutput } from "./compose.ts";
import { isTransient, statusOf, toStorageFailure, WireError } from "./errors.ts";
import { contentType, describeItem, describeObject, objectFields, toStoredFile, writeOnce } from "./object.ts";
import { openGcs } from "./read.ts";
import { probePath, sweepScratch, tokenOf } from "./scratch.ts";
import { UploadedOutput } from "./upload.ts";

/** Folders of Cloud Storage: gs://bucket/prefix. Nothing is written to a disk. */
export function createGcsStore(options: GcsOptions): Store {
  return new GcsStore(new GcsClient(options));
}

class GcsStore implements Store {
  readonly #client: GcsClient;

  constructor(client: GcsClient) {
    this.#client = client;
  }

  join(folder: string, ...names: readonly string[]): string {
    return joinGcsPath(folder, names);
  }

  async identify(folder: string): Promise<readonly string[]> {
    const { bucket, name } = parseGcsPath(folder);
    const parts = name === "" ? [] : name.split("/");
    const above = parts.map((_, index) => formatGcsPath({ bucket, name: parts.slice(0, index + 1).join("/") }));
    return [formatGcsPath({ bucket, name: "" }), ...above].reverse();
  }

  isRemote(): boolean {
    return true;
  }

  async list(folder: string): Promise<readonly StoredFile[] | undefined> {
    return (await this.listAll(folder))?.files;
  }

  async listFolders(folder: string): Promise<readonly string[] | undefined> {
    return (await this.listAll(folder))?.folders;
  }

  async listAll(folder: string): Promise<FolderContent | undefined> {
    const { bucket, name } = parseGcsPath(folder);
    const prefix = name === "" ? "" : `${name}/`;
    const files: StoredFile[] = [];
    const folders: string[] = [];
    let pageToken: string | undefined;
    do {
      this.#client.count("classA");
      const page = await this.#listPage(folder, bucket, prefix, pageToken);
      // The Cloud Console marks a folder with an empty object that has the folder's name.
      files.push(...page.files.filter((file) => file.name !== ""));
      folders.push(...page.prefixes.map((path) => path.slice(prefix.length, -1)));
      pageToken = page.next;
    } while (pageToken !== undefined);
    return files.length + folders.length === 0 ? undefined : { files, folders, others: [] };
  }

  async #listPage(folder: string, bucket: string, prefix: string, pageToken: string | undefined) {
    try {
      const [found, next, response] = await this.#client.bucket(bucket).getFiles({
        prefix,
        delimiter: "/",
        autoPaginate: false,
        fields: `items(${objectFields}),prefixes,nextPageToken`,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      if (typeof response !== "object" || response === null || Array.isArray(response))
        throw new WireError(`a list that is ${JSON.stringify(response).slice(0, 200)}`);
      const files = found.map((file) => toStoredFile(bucket, describeItem(file)));
      return { files, prefixes: prefixesOf(response), next: tokenOf(next) };
    } catch (error) {
      throw toStorageFailure(error, "list", folder);
    }
  }

  stat(path: string): Promise<StoredFile | undefined> {
    return explained("read", path, () => describeObject(this.#client, path));
  }

  async open(file: ListedVersion): Promise<OpenFile> {
    return openGcs(this.#client, file);
  }

  async findChange(): Promise<undefined> {
    return undefined;
  }

  /** In a bucket, an object and a folder may have the same name. */
  async findObstacle(): Promise<undefined> {
    return undefined;
  }

  readText(path: string): Promise<string | undefined> {
    return explained("read", path, async () => {
      try {
        const download = async (): Promise<string> => {
          this.#client.count("classB");
          const [bytes] = await this.#client.download(path).download({ validation: "crc32c" });
          this.#client.countBytes("bytesDown", bytes.length);
          return bytes.toString();
        };
        return await pRetry(download, {
          retries: this.#client.retries,
          minTimeout: 500,
          shouldRetry: ({ error }) => isTransient(error),
        });
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  async writeText(path: string, text: string | Uint8Array): Promise<void> {
    await explained("write", path, () => this.#save(path, text));
  }

  writeTextIf(path: string, text: string, expected: string | undefined): Promise<boolean> {
    return explained("write", path, async () => {
      const file = this.#client.file(path);
      try {
        await writeOnce(this.#client, file, formatCrc32c(crc32c(Buffer.from(text))), () =>
          this.#save(path, text, expected ?? 0),
        );
        return true;
      } catch (error) {
        if (statusOf(error) === 412) return false;
        throw error;
      }
    });
  }

  async #save(path: string, text: string | Uint8Array, over?: string | number) {
    const file = this.#client.file(path);
    const bytes = typeof text === "string" ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.length);
    this.#client.count("classA");
    this.#client.countBytes("bytesUp", bytes.length);
    await file.save(bytes, {
      resumable: false,
      validation: false,
      contentType: typeOf(path),
      ...(over === undefined ? {} : { preconditionOpts: { ifGenerationMatch: over } }),
    });
    return file.metadata;
  }

  async remove(path: string, version?: string): Promise<void> {
    this.#client.count("free");
    try {
      await this.#client
        .file(path)
        .delete({ ignoreNotFound: true, ...(version === undefined ? {} : { ifGenerationMatch: version }) });
    } catch (error) {
      if (statusOf(error) !== 412) throw toStorageFailure(error, "delete", path);
    }
  }

  async stage(path: string, { linked, bufferBytes }: StageOptions = {}): Promise<StagedOutput> {
    return linked === true
      ? new ComposedOutput(this.#client, path, bufferBytes)
      : new UploadedOutput(this.#client, path);
  }

  async canLink(input: string, output: string): Promise<true | string> {
    const [from, to] = [parseGcsPath(input).bucket, parseGcsPath(output).bucket];
    return from === to || `inputs are in bucket ${from}, the output in ${to}`;
  }

  sweep(...paths: readonly string[]): Promise<number> {
    return sweepScratch(this.#client, paths);
  }

  /** Writes an empty object and removes it, because testing permissions needs a permission of its own. */
  async checkWritable(folder: string): Promise<string | undefined> {
    const probe = probePath(this.#client, folder);
    try {
      await explained("write", probe, () => this.#save(probe, ""));
      await this.remove(probe);
      return undefined;
    } catch (error) {
      if (error instanceof Failure && error.exitCode === ExitCode.input) return error.message;
      throw error;
    }
  }

  /** Every write has a precondition. */
  async checkPublishable(): Promise<undefined> {
    return undefined;
  }

  async freeBytes(): Promise<undefined> {
    return undefined;
  }

  traffic(): Traffic {
    return this.#client.traffic();
  }
}

type Action = Parameters<typeof toStorageFailure>[1];

async function explained<Value>(action: Action, path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw toStorageFailure(error, action, path);
  }
}

/** Media type of an object, for browsers. */
function typeOf(path: string): string {
  if (path.endsWith(".html")) return "text/html; charset=utf-8";
  if (path.endsWith(".csv")) return "text/csv; charset=utf-8";
  return path.endsWith(".json") ? "application/json" : contentType;
}

function prefixesOf(response: unknown): readonly string[] {
  if (typeof response !== "object" || response === null || !("prefixes" in response)) return [];
  const { prefixes } = response;
  return Array.isArray(prefixes) ? prefixes.filter((prefix) => typeof prefix === "string") : [];
}
