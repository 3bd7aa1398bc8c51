import type { OpenFile, StoredFile } from "../store.ts";
import type { GcsClient } from "./client.ts";
import { publishStaged } from "./publish.ts";
import { openGcs } from "./read.ts";
import { Scratch } from "./scratch.ts";

/** What every staged output in a bucket has, however it gets there: scratch objects, then one object to read and publish. */
export abstract class StagedOutput {
  protected readonly client: GcsClient;
  protected readonly path: string;
  protected readonly scratch: Scratch;
  protected staged: StoredFile | undefined;

  constructor(client: GcsClient, path: string) {
    this.client = client;
    this.path = path;
    this.scratch = new Scratch(client, path);
  }

  async open(): Promise<OpenFile> {
    return openGcs(this.client, this.finished());
  }

  async publish(over?: string): Promise<void> {
    await publishStaged(this.client, this.finished(), this.path, over);
  }

  private finished(): StoredFile {
    if (this.staged === undefined) throw new Error("used before it was finished");
    return this.staged;
  }
}
