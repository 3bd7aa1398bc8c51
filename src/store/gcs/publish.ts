import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { overtaken } from "../overtaken.ts";
import type { StoredFile, Written } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { statusOf, toStorageFailure } from "./errors.ts";
import { contentType, type ObjectMetadata, writeOnce } from "./object.ts";

/** The staged object, if it is what was written. @throws Failure (verification). */
export function verifyStaged(path: string, staged: StoredFile | undefined, written: Written): StoredFile {
  if (staged !== undefined && staged.size === written.size && staged.crc32c === written.crc32c) return staged;
  const found =
    staged === undefined
      ? "no object"
      : `${staged.size} bytes, CRC32C ${staged.crc32c}; written were ${written.size} bytes, CRC32C ${written.crc32c}`;
  const problem = { what: `what is stored is not what was written: ${path}`, found, fix: "merge the pair again" };
  throw new Failure(ExitCode.verification, [problem]);
}

/**
 * Gives the staged object its final name: a composition of that one object, without its bytes moving, under the
 * condition that what has the name now is the generation `over`, or nothing.
 */
export async function publishStaged(
  client: GcsClient,
  staged: StoredFile,
  path: string,
  over: string | undefined,
): Promise<void> {
  try {
    await composeObjects(client, [staged], path, staged.crc32c ?? "", over ?? 0);
  } catch (error) {
    throw statusOf(error) === 412 ? overtaken(path) : toStorageFailure(error, "compose", path);
  }
}

/**
 * Composes objects of the same bucket into one (at most 32), each of the generation that is named. `crc32c` is what the
 * result has to have; `over` the generation that it replaces, 0 for none.
 */
export async function composeObjects(
  client: GcsClient,
  sources: readonly Pick<StoredFile, "path" | "version">[],
  path: string,
  crc32c: string,
  over: string | number,
): Promise<StoredFile> {
  const destination = client.file(path);
  destination.metadata.contentType = contentType;
  const files = sources.map((source) => client.file(source.path, source.version));
  return writeOnce(client, destination, crc32c, async () => {
    client.count("classA");
    const [, metadata] = await destination.bucket.combine(files, destination, { ifGenerationMatch: over });
    return metadata as ObjectMetadata;
  });
}
