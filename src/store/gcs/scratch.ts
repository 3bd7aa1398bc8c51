import pMap from "p-map";
import { pairOfOutput } from "../../model/output-names.ts";
import { formatGcsPath, joinGcsPath, parseGcsPath } from "../../model/storage-path.ts";
import { isOwnerDead, newOwner } from "../owner.ts";
import type { GcsClient } from "./client.ts";
import { toStorageFailure } from "./errors.ts";
import { describeItem } from "./object.ts";

const scratchFolder = ".scratch";
/** In the place of a pair, which never begins with a dot: what is written to see whether writing is allowed. */
const probes = ".probes";
const deletesAtOnce = 16;

/** What one writer stages for one output: objects under `<output>/.scratch/<run>/<pair>/<writer>/`. */
export class Scratch {
  private readonly client: GcsClient;
  private readonly folder: string;
  private readonly made = new Set<string>();

  constructor(client: GcsClient, path: string) {
    this.client = client;
    const { bucket, name } = parseGcsPath(path);
    const parts = name.split("/");
    const pair = pairOfOutput(parts.pop() ?? "");
    this.folder = formatGcsPath({ bucket, name: [...parts, scratchFolder, client.run, pair, newOwner()].join("/") });
  }

  /** A path in the scratch, to be removed with it. */
  path(name: string): string {
    const path = joinGcsPath(this.folder, [name]);
    this.made.add(path);
    return path;
  }

  /** What cannot be removed is no failure of the merge, nor hides the one there was: the next merge of the pair sweeps. */
  async remove(): Promise<void> {
    await deleteObjects(this.client, [...this.made]).catch(() => undefined);
    this.made.clear();
  }
}

/** Where this process writes to see whether it may; swept like all scratch. */
export function probePath(client: GcsClient, folder: string): string {
  return joinGcsPath(folder, [scratchFolder, client.run, probes, newOwner(), "probe"]);
}

/** Removes what dead writers of an output left; returns how many writers. */
export async function sweepScratch(client: GcsClient, path: string): Promise<number> {
  const { bucket, name } = parseGcsPath(path);
  const parts = name.split("/");
  const pair = pairOfOutput(parts.pop() ?? "");
  const prefix = [...parts, scratchFolder, ""].join("/");
  const writers = new Map<string, { names: string[]; changed: number }>();
  try {
    for await (const page of listPages(client, bucket, prefix)) {
      for (const object of page) {
        const [, objectPair, owner] = object.name.slice(prefix.length).split("/");
        if ((objectPair !== pair && objectPair !== probes) || owner === undefined) continue;
        const writer = writers.get(owner) ?? { names: [], changed: 0 };
        writer.names.push(formatGcsPath({ bucket, name: object.name }));
        writer.changed = Math.max(writer.changed, Date.parse(object.updated));
        writers.set(owner, writer);
      }
    }
    const dead = [...writers].filter(([owner, { changed }]) => isOwnerDead(owner, changed));
    await deleteObjects(
      client,
      dead.flatMap(([, { names }]) => names),
    );
    return dead.length;
  } catch (error) {
    throw toStorageFailure(error, "list", path);
  }
}

async function* listPages(
  client: GcsClient,
  bucket: string,
  prefix: string,
): AsyncGenerator<{ readonly name: string; readonly updated: string }[]> {
  let pageToken: string | undefined;
  do {
    client.count("classA");
    const [files, next] = await client.bucket(bucket).getFiles({
      prefix,
      autoPaginate: false,
      fields: "items(name,updated),nextPageToken",
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    yield files.map((file) => ({ name: file.name, updated: describeItem(file).updated ?? "" }));
    pageToken = tokenOf(next);
  } while (pageToken !== undefined);
}

/** The client hands back the query of the next page, or nothing. */
export function tokenOf(next: unknown): string | undefined {
  if (typeof next !== "object" || next === null || !("pageToken" in next)) return undefined;
  return typeof next.pageToken === "string" ? next.pageToken : undefined;
}

/** Removes objects; those that are gone already are no error. */
async function deleteObjects(client: GcsClient, paths: readonly string[]): Promise<void> {
  const remove = async (path: string): Promise<void> => {
    client.count("free");
    await client.file(path).delete({ ignoreNotFound: true });
  };
  await pMap(paths, remove, { concurrency: deletesAtOnce });
}
