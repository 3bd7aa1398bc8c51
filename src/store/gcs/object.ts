import type { File } from "@google-cloud/storage";
import { formatGcsPath } from "../../model/storage-path.ts";
import type { StoredFile } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { statusOf } from "./errors.ts";

/** What the service says of an object. */
export interface ObjectMetadata {
  readonly name?: string | undefined;
  readonly size?: string | number | undefined;
  readonly generation?: string | number | undefined;
  /** Base64 of four bytes, most significant first. */
  readonly crc32c?: string | undefined;
  readonly updated?: string | undefined;
}

/** The fields of an object that are asked for; a full description is ten times as long. */
export const objectFields = "name,size,generation,crc32c,updated";
/** What outputs are, for whoever downloads one. */
export const contentType = "application/vnd.apache.parquet";

/** An object as the store lists it: its generation is its version. */
export function toStoredFile(bucket: string, metadata: ObjectMetadata): StoredFile {
  const name = metadata.name ?? "";
  const crc32c =
    metadata.crc32c === undefined ? {} : { crc32c: Buffer.from(metadata.crc32c, "base64").toString("hex") };
  return {
    name: name.slice(name.lastIndexOf("/") + 1),
    path: formatGcsPath({ bucket, name }),
    size: Number(metadata.size ?? 0),
    version: String(metadata.generation ?? ""),
    ...crc32c,
  };
}

/** Asked for some fields only, the client hands on the items of a list as the service sent them. */
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
 * Writes under a precondition. Where it does not hold, the write may have been done by an earlier try whose answer was
 * lost: then what is there has the content that was to be written, and it is returned.
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
    const found = await describeObject(client, path);
    if (found?.crc32c === crc32c) return found;
    throw error;
  }
}
