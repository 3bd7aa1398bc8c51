/** Pairs by the names of their folders, where these differ: `{ "ES=F": "es_f" }`. */
export type Folders = Readonly<Record<string, string>>;

/** The name of a pair's folder under the input. */
export function folderOf(folders: Folders, pair: string): string {
  return Object.keys(folders).find((folder) => folders[folder] === pair) ?? pair;
}

/** The names by which tables may call their pair: its own, and that of its folder where it differs. */
export type PairNames = readonly string[];

export function namesOf(folders: Folders, pair: string): PairNames {
  return [...new Set([pair, folderOf(folders, pair)])];
}

/** A text with each of the names in the place of "{pair}". */
export function fillIn(text: string, names: PairNames): readonly string[] {
  return text.includes("{pair}") ? names.map((name) => text.replaceAll("{pair}", () => name)) : [text];
}

/** A table's name without the "_<pair>" at its end. */
export function stripPair(table: string, names: PairNames): string {
  const ending = names.map((name) => `_${name}`).find((own) => table.endsWith(own) && table.length > own.length);
  return ending === undefined ? table : table.slice(0, -ending.length);
}
