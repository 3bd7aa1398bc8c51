import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { localStore } from "../../../src/store/local/store.ts";
import { scratchFolder } from "../../support/folder.ts";
import { storeContract } from "../../support/store-contract.ts";

const root = await scratchFolder("store");

storeContract("localStore", async () => {
  const folder = await mkdtemp(join(root, "case-"));
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  const stagingProgram = new URL("../../support/stage-file.ts", import.meta.url).pathname;
  return { store: localStore, folder, put, names: () => readdir(folder), stagingProgram };
});

test("no path is remote, and nothing is a request", () => {
  assert.equal(localStore.isRemote(root), false);
  assert.deepEqual(localStore.traffic(), { classA: 0, classB: 0, free: 0, bytesDown: 0, bytesUp: 0 });
});

test("links to files are files, links to nothing are not there", async () => {
  const folder = await mkdtemp(join(root, "links-"));
  await writeFile(join(folder, "file"), "123");
  await symlink(join(folder, "file"), join(folder, "link"));
  await symlink(join(folder, "gone"), join(folder, "broken"));
  await symlink(folder, join(folder, "loop"));
  const files = await localStore.list(folder);
  assert.deepEqual(
    files?.map(({ name, size }) => [name, size]),
    [
      ["file", 3],
      ["link", 3],
    ],
  );
});

test("a file in the place of a folder cannot be written into, and says so", async () => {
  const folder = await mkdtemp(join(root, "file-"));
  await writeFile(join(folder, "out"), "");
  assert.match((await localStore.checkWritable(join(folder, "out", "deep"))) ?? "", /ENOTDIR|EEXIST/);
  assert.match((await localStore.checkWritable(join(folder, "out"))) ?? "", /ENOTDIR|EEXIST/);
  assert.equal(await localStore.list(join(folder, "out")), undefined);
});

test("what a writer on another machine staged goes once it has not grown for an hour", async () => {
  const folder = await mkdtemp(join(root, "other-"));
  const path = join(folder, "out");
  const theirs = join(folder, ".out.widemerge-elsewhere-1-abcdef01-00000000");
  await writeFile(theirs, "");
  assert.equal(await localStore.sweep(path), 0);
  const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(theirs, old, old);
  assert.equal(await localStore.sweep(path), 1);
  assert.deepEqual(await readdir(folder), []);
});

test("a file that is exchanged for another of the same size and time is another version", async () => {
  const folder = await mkdtemp(join(root, "inode-"));
  const path = join(folder, "a");
  const time = new Date(1_700_000_000_000);
  await writeFile(path, "one");
  await utimes(path, time, time);
  const before = await localStore.stat(path);
  await writeFile(join(folder, "b"), "two");
  await unlink(path);
  await symlink(join(folder, "b"), path);
  await utimes(join(folder, "b"), time, time);
  assert.notEqual((await localStore.stat(path))?.version, before?.version);
});
