/** A test double of a store: documents in memory, with the versions and conditions of a folder or a bucket. */
import type { RunStore } from "../../src/run/documents.ts";
import type { StoredFile } from "../../src/store/store.ts";

interface Document {
  readonly text: string;
  readonly version: string;
}

export class MemoryStore implements RunStore {
  readonly documents = new Map<string, Document>();
  #writes = 0;

  join(folder: string, ...names: readonly string[]): string {
    return [folder, ...names].join("/");
  }

  async list(folder: string): Promise<readonly StoredFile[] | undefined> {
    const prefix = `${folder}/`;
    const inside = [...this.documents.keys()].filter((path) => path.startsWith(prefix));
    const files = inside.filter((path) => !path.slice(prefix.length).includes("/")).sort();
    return inside.length === 0 ? undefined : files.flatMap((path) => this.#describe(path) ?? []);
  }

  async stat(path: string): Promise<StoredFile | undefined> {
    return this.#describe(path);
  }

  async readText(path: string): Promise<string | undefined> {
    return this.documents.get(path)?.text;
  }

  async writeText(path: string, text: string | Uint8Array): Promise<void> {
    this.put(path, String(text));
  }

  async writeTextIf(path: string, text: string, expected: string | undefined): Promise<boolean> {
    if (this.documents.get(path)?.version !== expected) return false;
    this.put(path, text);
    return true;
  }

  async remove(path: string, version?: string): Promise<void> {
    if (version === undefined || this.documents.get(path)?.version === version) this.documents.delete(path);
  }

  put(path: string, text: string): void {
    this.#writes += 1;
    this.documents.set(path, { text, version: String(this.#writes) });
  }

  #describe(path: string): StoredFile | undefined {
    const found = this.documents.get(path);
    return (
      found && { name: path.slice(path.lastIndexOf("/") + 1), path, size: found.text.length, version: found.version }
    );
  }
}
