import type { File } from "@google-cloud/storage";
import { formatGcsPath } from "../../model/storage-path.ts";
import type { StoredFile } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { statusOf, WireError } from "./errors.ts";

/** An object as the service describes it. */
export interface ObjectMetadata {
  readonly name?: string | undefined;
  readonly size?: string | number | undefined;
  readonly generation?: string | number | undefined;
  /** Base64 of four bytes, most significant first. */
  readonly crc32c?: string | undefined;
  readonly updated?: string | undefined;
}

/** The fields that requests ask for; a full description is ten times as long. */
export const objectFields = "name,size,generation,crc32c,updated";
/** Media type of outputs. */
export const contentType = "application/vnd.apache.parquet";

/** An object as the store lists it; its generation is its version. */
export function toStoredFile(bucket: string, metadata: ObjectMetadata): StoredFile {
  const { name, size, generation } = metadata;
  if (name === undefined || size === undefined || generation === undefined)
    throw new WireError(`an object without its name, size or generation: ${JSON.stringify(metadata).slice(0, 200)}`);
  const crc32c =
    metadata.crc32c === undefined ? {} : { crc32c: Buffer.from(metadata.crc32c, "base64").toString("hex") };
  return {
    name: name.slice(name.lastIndexOf("/") + 1),
    path: formatGcsPath({ bucket, name }),
    size: Number(size),
    version: String(generation),
    ...crc32c,
  };
}

/** When a request names the fields, the client hands on the items of a list as the service sent them. */
export function describeItem(item: object): ObjectMetadata {
  return "metadata" in item ? (item.metadata as ObjectMetadata) : item;
}

/** Describes an object; undefined where there is none. */
export async function describeObject(client: GcsClient, path: string): Promise<StoredFile | undefined> {
  client.count("classB");
  const file = client.file(path);
  try {
    const [metadata] = await file.getMetadata({ fields: objectFields });
    return toStoredFile(file.bucket.name, { name: file.name, ...metadata });
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Writes under a precondition. Where it does not hold, an earlier try whose answer was lost may have done the write: then
 * the object has the content that was to be written, and it is returned.
 */
export async function writeOnce(
  client: GcsClient,
  file: File,
  crc32c: string,
  write: () => Promise<ObjectMetadata>,
): Promise<StoredFile> {
  const path = formatGcsPath({ bucket: file.bucket.name, name: file.name });
  try {
    return toStoredFile(file.bucket.name, { name: file.name, ...(await write()) });
  } catch (error) {
    if (statusOf(error) !== 412) throw error;
    const stored = await describeObject(client, path);
    if (stored?.crc32c === crc32c) return stored;
    throw error;
  }
}

export interface Composition {
  /** At most 32 objects of one bucket, each of the generation that is named. */
  readonly sources: readonly Pick<StoredFile, "path" | "version">[];
  readonly path: string;
  /** The checksum that the result must have. */
  readonly crc32c: string;
  /** The generation that the result replaces, 0 for none. */
  readonly over: string | number;
}

/** Composes objects of the same bucket into one. */
export async function composeObjects(
  client: GcsClient,
  { sources, path, crc32c, over }: Composition,
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
