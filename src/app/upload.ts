import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import pMap from "p-map";
import { completeMarker } from "../model/checkpoint.ts";
import { isGcsPath, parseGcsPath } from "../model/storage-path.ts";
import { createStore } from "../store/create-store.ts";

const uploadsAtOnce = 4;

/** What writes into a folder, for a folder in a bucket: into one of this machine first, which is then uploaded. */
export async function writeAnywhere<Value>(
  out: string,
  endpoint: string | undefined,
  write: (folder: string) => Promise<Value>,
): Promise<Value> {
  if (!isGcsPath(out)) return write(out);
  parseGcsPath(out);
  const folder = await mkdtemp(join(tmpdir(), "widemerge-"));
  try {
    const value = await write(folder);
    await uploadFolder(folder, out, endpoint);
    return value;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every file of a folder, the markers of completeness after all others. */
async function uploadFolder(folder: string, out: string, endpoint: string | undefined): Promise<void> {
  const store = createStore({ sync: false, gcsEndpoint: endpoint, run: undefined, stallSeconds: 60 });
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const upload = async (file: string): Promise<void> =>
    store.writeText(store.join(out, ...relative(folder, file).split("/")), await readFile(file));
  for (const last of [false, true])
    await pMap(
      files.filter((file) => file.endsWith(completeMarker) === last),
      upload,
      { concurrency: uploadsAtOnce },
    );
}
