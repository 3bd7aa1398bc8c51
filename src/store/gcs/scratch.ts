/** The folder `.scratch/` of an output folder: objects of outputs that are not published yet. */
import pMap from "p-map";
import { pairOfOutput } from "../../model/output-names.ts";
import { formatGcsPath, joinGcsPath, parseGcsPath } from "../../model/storage-path.ts";
import { isOwnerDead, newOwner } from "../owner.ts";
import type { GcsClient } from "./client.ts";
import { toStorageFailure } from "./errors.ts";
import { describeItem } from "./object.ts";

const scratchName = ".scratch";
/** In the place of a pair, which never begins with a dot: objects that test the permission to write. */
const probes = ".probes";
const deletesAtOnce = 16;

/** Where a writer of an output stages: `<output>/.scratch/<run>/<pair>/<writer>/`. */
interface ScratchPlace {
  readonly bucket: string;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly pair: string;
}

function placeOf(path: string): ScratchPlace {
  const { bucket, name } = parseGcsPath(path);
  const parts = name.split("/");
  const pair = pairOfOutput(parts.pop() ?? "");
  return { bucket, prefix: [...parts, scratchName, ""].join("/"), pair };
}

/** The objects that one writer stages for one output. */
export class ScratchFolder {
  readonly #client: GcsClient;
  readonly #folder: string;
  readonly #made = new Set<string>();

  constructor(client: GcsClient, path: string) {
    this.#client = client;
    const { bucket, prefix, pair } = placeOf(path);
    this.#folder = formatGcsPath({ bucket, name: `${prefix}${client.run}/${pair}/${newOwner()}` });
  }

  /** A path in the folder, which `remove` deletes. */
  path(name: string): string {
    const path = joinGcsPath(this.#folder, [name]);
    this.#made.add(path);
    return path;
  }

  /** A failure to remove neither fails the merge nor hides an earlier failure: the next merge of the pair sweeps. */
  async remove(): Promise<void> {
    await deleteObjects(this.#client, [...this.#made]).catch(() => undefined);
    this.#made.clear();
  }
}

/** An object by which this process tests whether it may write; swept like all of `.scratch/`. */
export function probePath(client: GcsClient, folder: string): string {
  return joinGcsPath(folder, [scratchName, client.run, probes, newOwner(), "probe"]);
}

/** Removes what dead writers of these outputs staged. Returns how many writers there were. */
export async function sweepScratch(client: GcsClient, paths: readonly string[]): Promise<number> {
  // An output and its manifest stage in one place.
  const places = new Map(paths.map(placeOf).map((place) => [JSON.stringify(place), place]));
  let writers = 0;
  for (const place of places.values()) writers += await sweepPlace(client, place);
  return writers;
}

async function sweepPlace(client: GcsClient, place: ScratchPlace): Promise<number> {
  try {
    const writers = await listWriters(client, place);
    const dead = [...writers].filter(([owner, { changed }]) => isOwnerDead(owner, changed));
    await deleteObjects(
      client,
      dead.flatMap(([, { paths }]) => paths),
    );
    return dead.length;
  } catch (error) {
    throw toStorageFailure(error, "list", formatGcsPath({ bucket: place.bucket, name: place.prefix }));
  }
}

/** The objects of one writer, and when the last of them changed, in milliseconds since 1970. */
interface ScratchWriter {
  readonly paths: string[];
  changed: number;
}

/** Writers of a pair, and of probes, by owner. */
async function listWriters(
  client: GcsClient,
  { bucket, prefix, pair }: ScratchPlace,
): Promise<ReadonlyMap<string, ScratchWriter>> {
  const writers = new Map<string, ScratchWriter>();
  for await (const page of listPages(client, bucket, prefix)) {
    for (const object of page) {
      const [, objectPair, owner] = object.name.slice(prefix.length).split("/");
      if ((objectPair !== pair && objectPair !== probes) || owner === undefined) continue;
      const writer = writers.get(owner) ?? { paths: [], changed: 0 };
      writer.paths.push(formatGcsPath({ bucket, name: object.name }));
      writer.changed = Math.max(writer.changed, object.changed);
      writers.set(owner, writer);
    }
  }
  return writers;
}

async function* listPages(
  client: GcsClient,
  bucket: string,
  prefix: string,
): AsyncGenerator<{ readonly name: string; readonly changed: number }[]> {
  let pageToken: string | undefined;
  do {
    client.count("classA");
    const [files, next] = await client.bucket(bucket).getFiles({
      prefix,
      autoPaginate: false,
      fields: "items(name,updated),nextPageToken",
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    yield files.map((file) => {
      const { updated } = describeItem(file);
      // An object of unknown age counts as new: it is swept another time.
      return { name: file.name, changed: updated === undefined ? Date.now() : Date.parse(updated) };
    });
    pageToken = tokenOf(next);
  } while (pageToken !== undefined);
}

/** The token of the next page; the client hands back the whole query for it, or nothing. */
export function tokenOf(next: unknown): string | undefined {
  if (typeof next !== "object" || next === null || !("pageToken" in next)) return undefined;
  return typeof next.pageToken === "string" ? next.pageToken : undefined;
}

/** Removes objects; an object that is gone already is no error. */
async function deleteObjects(client: GcsClient, paths: readonly string[]): Promise<void> {
  const remove = async (path: string): Promise<void> => {
    client.count("free");
    await client.file(path).delete({ ignoreNotFound: true });
  };
  await pMap(paths, remove, { concurrency: deletesAtOnce });
}
