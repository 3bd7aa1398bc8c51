import type { StoreSettings } from "../model/settings.ts";
import { isGcsPath } from "../model/storage-path.ts";
import { createLocalStore } from "./local/store.ts";
import type { Store } from "./store.ts";

/** A store for any mixture of folders of this machine and of Cloud Storage; paths of the latter begin with gs://. */
export async function createStore(settings: StoreSettings, paths: readonly string[]): Promise<Store> {
  const local = createLocalStore(settings.sync);
  if (!paths.some(isGcsPath)) return local;
  // The client takes 40 MiB and a tenth of a second, so it is loaded only where a path needs it.
  const { createGcsStore } = await import("./gcs/store.ts");
  const gcs = createGcsStore({
    endpoint: settings.gcsEndpoint,
    run: settings.run,
    stallSeconds: settings.stallSeconds,
  });
  return routeStores(local, gcs);
}

function routeStores(local: Store, gcs: Store): Store {
  const of = (path: string): Store => (isGcsPath(path) ? gcs : local);
  return {
    join: (folder, ...names) => of(folder).join(folder, ...names),
    isRemote: (path) => of(path).isRemote(path),
    list: (folder) => of(folder).list(folder),
    listFolders: (folder) => of(folder).listFolders(folder),
    stat: (path) => of(path).stat(path),
    open: (file) => of(file.path).open(file),
    readText: (path) => of(path).readText(path),
    writeText: (path, text) => of(path).writeText(path, text),
    writeTextIf: (path, text, expected) => of(path).writeTextIf(path, text, expected),
    remove: (path, version) => of(path).remove(path, version),
    stage: (path, options) => of(path).stage(path, options),
    canLink: (input, output) =>
      of(input) === of(output) ? of(output).canLink(input, output) : "inputs and output are not in the same bucket",
    sweep: async (...paths) => {
      const remote = await gcs.sweep(...paths.filter(isGcsPath));
      return remote + (await local.sweep(...paths.filter((path) => !isGcsPath(path))));
    },
    checkWritable: (folder) => of(folder).checkWritable(folder),
    freeBytes: (folder) => of(folder).freeBytes(folder),
    traffic: () => gcs.traffic(),
  };
}
