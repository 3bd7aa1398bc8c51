import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { anotherOutput } from "../failures.ts";
import type { OpenFile, StoredFile, Written } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { statusOf, toStorageFailure } from "./errors.ts";
import { composeObjects } from "./object.ts";
import { openGcs } from "./read.ts";

/** A complete object under `.scratch/`, on its way to its final name. */
export class StagedObject {
  readonly #client: GcsClient;
  readonly #object: StoredFile;

  constructor(client: GcsClient, object: StoredFile) {
    this.#client = client;
    this.#object = object;
  }

  open(): OpenFile {
    return openGcs(this.#client, this.#object);
  }

  /**
   * Gives the object its final name: a composition of this one object, without its bytes moving, on condition that the
   * name belongs to the generation `over`, or to nothing.
   */
  async publish(path: string, over: string | undefined): Promise<void> {
    try {
      await composeObjects(this.#client, {
        sources: [this.#object],
        path,
        crc32c: sumOf(this.#object),
        over: over ?? 0,
      });
    } catch (error) {
      throw statusOf(error) === 412 ? anotherOutput(path) : toStorageFailure(error, "compose", path);
    }
  }
}

function sumOf({ path, crc32c }: StoredFile): string {
  if (crc32c === undefined) throw new Error(`${path} has no CRC32C`);
  return crc32c;
}

/** The stored object, if it is what was written. @throws Failure (verification) */
export function checkStored(path: string, stored: StoredFile | undefined, written: Written): StoredFile {
  if (stored !== undefined && stored.size === written.size && stored.crc32c === written.crc32c) return stored;
  const found =
    stored === undefined
      ? "no object"
      : `${stored.size} bytes, CRC32C ${stored.crc32c}; written were ${written.size} bytes, CRC32C ${written.crc32c}`;
  const problem = { what: `the stored object is not what was written: ${path}`, found, fix: "merge the pair again" };
  throw new Failure(ExitCode.verification, [problem]);
}
