import type { Traffic } from "../model/measurement.ts";
import type { StoreSettings } from "../model/settings.ts";
import { isGcsPath, joinGcsPath } from "../model/storage-path.ts";
import { createLocalStore } from "./local/store.ts";
import { noTraffic, type Store } from "./store.ts";

/** A store for folders of this machine and of Cloud Storage; paths of the latter begin with gs://. */
export function createStore(settings: StoreSettings): Store {
  const local = createLocalStore(settings.sync);
  let gcs: Promise<Store> | undefined;
  let traffic = (): Traffic => noTraffic;
  // The client takes 40 MiB and a tenth of a second, so it is loaded with the first path that needs it.
  const loadGcs = async (): Promise<Store> => {
    const { createGcsStore } = await import("./gcs/store.ts");
    const { gcsEndpoint: endpoint, run, stallSeconds } = settings;
    const store = createGcsStore({ endpoint, run, stallSeconds });
    traffic = () => store.traffic();
    return store;
  };
  const of = async (path: string): Promise<Store> => {
    if (!isGcsPath(path)) return local;
    gcs ??= loadGcs();
    return gcs;
  };
  return {
    join: (folder, ...names) => (isGcsPath(folder) ? joinGcsPath(folder, names) : local.join(folder, ...names)),
    identify: async (folder) => (await of(folder)).identify(folder),
    isRemote: isGcsPath,
    list: async (folder) => (await of(folder)).list(folder),
    listAll: async (folder) => (await of(folder)).listAll(folder),
    listFolders: async (folder) => (await of(folder)).listFolders(folder),
    stat: async (path) => (await of(path)).stat(path),
    open: async (file) => (await of(file.path)).open(file),
    findChange: async (file) => (await of(file.path)).findChange(file),
    findObstacle: async (path) => (await of(path)).findObstacle(path),
    readText: async (path) => (await of(path)).readText(path),
    writeText: async (path, text) => (await of(path)).writeText(path, text),
    writeTextIf: async (path, text, expected) => (await of(path)).writeTextIf(path, text, expected),
    remove: async (path, version) => (await of(path)).remove(path, version),
    stage: async (path, options) => (await of(path)).stage(path, options),
    canLink: async (input, output) =>
      isGcsPath(input) === isGcsPath(output)
        ? (await of(output)).canLink(input, output)
        : "inputs and output are not in the same bucket",
    sweep: async (...paths) => {
      const remote = paths.filter(isGcsPath);
      const [first] = remote;
      const swept = first === undefined ? 0 : await (await of(first)).sweep(...remote);
      return swept + (await local.sweep(...paths.filter((path) => !isGcsPath(path))));
    },
    checkWritable: async (folder) => (await of(folder)).checkWritable(folder),
    checkPublishable: async (folder) => (await of(folder)).checkPublishable(folder),
    freeBytes: async (folder) => (await of(folder)).freeBytes(folder),
    traffic: () => traffic(),
  };
}
