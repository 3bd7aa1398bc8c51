import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes a folder and those above it that are missing; `durable`: so that they survive a power cut. */
export async function makeFolder(folder: string, durable: boolean): Promise<void> {
  const first = await mkdir(resolve(folder), { recursive: true });
  if (!durable || first === undefined) return;
  const above = dirname(resolve(first));
  for (let path = dirname(resolve(folder)); path.length >= above.length; path = dirname(path)) {
    await syncFolder(path);
    if (path === dirname(path)) return;
  }
}

/** Names in a folder, new or removed, survive a power cut only once the folder is on disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
