/** Pairs by the names of their folders, where these differ: `{ "ES=F": "es_f" }`. */
export type Folders = Readonly<Record<string, string>>;

/** The name of a pair's folder under the input. */
export function folderOf(folders: Folders, pair: string): string {
  return Object.keys(folders).find((folder) => folders[folder] === pair) ?? pair;
}
