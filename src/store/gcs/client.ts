/** The client of Cloud Storage, its retries, and the count of its requests. */

import { type Bucket, type File, IdempotencyStrategy, Storage, type StorageOptions } from "@google-cloud/storage";
import type { Traffic } from "../../model/measurement.ts";
import { parseGcsPath } from "../../model/storage-path.ts";
import { MiB } from "../../model/units.ts";
import { isTransient } from "./errors.ts";
import { limitStalls } from "./stall.ts";

export interface GcsOptions {
  /** Base URL of an emulator, such as http://127.0.0.1:4443; the service itself unless given. */
  readonly endpoint?: string | undefined;
  /** Scratch objects lie under .scratch/<run>/. */
  readonly run?: string | undefined;
  /** Seconds without a byte after which a request is tried again; 60 unless given. */
  readonly stallSeconds?: number | undefined;
  /** Retries of a request; 6 unless given. */
  readonly retries?: number | undefined;
  /** Bytes of one request of a resumable upload: a multiple of 256 KiB; 16 MiB unless given. */
  readonly chunkBytes?: number | undefined;
}

/** The longest pause between two tries, in seconds. */
const longestPauseSeconds = 16;
/** A request fails for good after this many seconds in all. */
const totalSeconds = 180;

export class GcsClient {
  readonly stallMilliseconds: number;
  readonly retries: number;
  readonly run: string;
  readonly chunkBytes: number;
  readonly #storage: Storage;
  readonly #downloads: Storage;
  readonly #counts = { classA: 0, classB: 0, free: 0, bytesDown: 0, bytesUp: 0 };

  constructor(options: GcsOptions) {
    this.stallMilliseconds = (options.stallSeconds ?? 60) * 1000;
    this.retries = options.retries ?? 6;
    this.run = options.run ?? "single";
    this.chunkBytes = options.chunkBytes ?? 16 * MiB;
    const retryOptions: StorageOptions["retryOptions"] = {
      autoRetry: true,
      maxRetries: this.retries,
      retryDelayMultiplier: 2,
      maxRetryDelay: longestPauseSeconds,
      totalTimeout: totalSeconds,
      // Every request may be repeated: writes have a precondition, and the others are idempotent.
      idempotencyStrategy: IdempotencyStrategy.RetryAlways,
      retryableErrorFn: isTransient,
    };
    const shared: StorageOptions = {
      ...(options.endpoint === undefined ? {} : { apiEndpoint: options.endpoint, projectId: "emulator" }),
    };
    this.#storage = new Storage({ ...shared, retryOptions });
    // A download that the client itself retries is piped into a stream that it has destroyed, which ends the process.
    this.#downloads = new Storage({
      ...shared,
      authClient: this.#storage.authClient,
      retryOptions: { ...retryOptions, autoRetry: false, maxRetries: 0 },
    });
    limitStalls(new URL(this.#storage.apiEndpoint).host, this.stallMilliseconds);
  }

  bucket(name: string): Bucket {
    return this.#storage.bucket(name);
  }

  file(path: string, generation?: string): File {
    return fileOf(this.#storage, path, generation);
  }

  /** The object for a download, which the reader retries itself. */
  download(path: string, generation?: string): File {
    return fileOf(this.#downloads, path, generation);
  }

  /** Counts a request before it is made. The service does not bill requests that fail with a server error. */
  count(what: "classA" | "classB" | "free", requests = 1): void {
    this.#counts[what] += requests;
  }

  countBytes(direction: "bytesDown" | "bytesUp", bytes: number): void {
    this.#counts[direction] += bytes;
  }

  traffic(): Traffic {
    return { ...this.#counts };
  }
}

function fileOf(storage: Storage, path: string, generation: string | undefined): File {
  const { bucket, name } = parseGcsPath(path);
  return storage.bucket(bucket).file(name, generation === undefined ? {} : { generation });
}
