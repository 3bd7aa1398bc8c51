import { posix, resolve } from "node:path";
import { ExitCode } from "./exit-code.ts";
import { Failure } from "./failure.ts";

export const gcsScheme = "gs://";

/** An object, or a prefix that acts as a folder. */
export interface GcsPath {
  readonly bucket: string;
  /** The name without slashes at either end; empty for the bucket itself. */
  readonly name: string;
}

/** The rules for bucket names are from the documentation of Cloud Storage, "Bucket naming requirements". */
const pattern = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:\/(.*))?$/s;

/** Whether a path is in Cloud Storage. */
export function isGcsPath(path: string): boolean {
  return path.startsWith(gcsScheme);
}

/** A path of this machine as a full path, so that it means the same in every working directory; any other unchanged. */
export function toAbsolute(path: string): string {
  return /^[a-z]+:\/\//.test(path) ? path : resolve(path);
}

/** Splits gs://bucket/prefix/name. @throws Failure (usage) for any other text */
export function parseGcsPath(path: string): GcsPath {
  const [, bucket, name = ""] = pattern.exec(path) ?? [];
  const parts = name.split("/").filter((part) => part !== "");
  if (bucket !== undefined && !parts.includes("..") && !parts.includes(".")) return { bucket, name: parts.join("/") };
  const problem = {
    what: "not a path in Cloud Storage",
    found: JSON.stringify(path),
    fix: "write gs://bucket or gs://bucket/prefix: 3 to 222 lower-case characters in the bucket, no . or .. in the prefix",
  };
  throw new Failure(ExitCode.usage, [problem]);
}

/** The text of a path: gs://bucket/name. */
export function formatGcsPath({ bucket, name }: GcsPath): string {
  return name === "" ? `${gcsScheme}${bucket}` : `${gcsScheme}${bucket}/${name}`;
}

/** A path below a folder. */
export function joinGcsPath(folder: string, names: readonly string[]): string {
  const { bucket, name } = parseGcsPath(folder);
  return formatGcsPath({ bucket, name: posix.join(name, ...names).replace(/^\.$/, "") });
}
