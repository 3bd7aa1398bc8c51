/** What every store has to do, whatever it stores in: a store's own test registers it in a few lines. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import type { Store } from "../../src/store/store.ts";
import { crc32c } from "./crc32c.ts";

export interface StoreUnderTest {
  readonly store: Store;
  /** An empty folder. */
  readonly folder: string;
  /** Writes a file past the store, as feature extraction does. */
  put(path: string, text: string): Promise<void>;
  /** Every name in the folder, hidden ones too. */
  names(): Promise<string[]>;
  /** A program that stages a file at its first argument, writes to it, prints "staged", and waits. */
  readonly stagingProgram: string;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const bytes of stream) all.push(bytes);
  return Buffer.concat(all);
}

/** Registers the tests; `makeStore` gives each of them a folder of its own. */
export function storeContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a store`, () => {
    registerReading(makeStore);
    registerStaging(makeStore);
    registerSweeping(makeStore);
    registerDocuments(makeStore);
  });
}

/** The clock of a file system moves every few milliseconds. */
const tick = () => setTimeout(20);

function registerReading(makeStore: () => Promise<StoreUnderTest>): void {
  test("lists files by name with size and version, not folders, and knows when there is no folder", async () => {
    const { store, folder, put } = await makeStore();
    await put(store.join(folder, "b.parquet"), "12345");
    await put(store.join(folder, "a.parquet"), "123");
    await put(store.join(folder, "deep", "c.parquet"), "1");
    const files = (await store.list(folder)) ?? [];
    assert.deepEqual(
      files.map(({ name, size, path }) => ({ name, size, path })),
      [
        { name: "a.parquet", size: 3, path: store.join(folder, "a.parquet") },
        { name: "b.parquet", size: 5, path: store.join(folder, "b.parquet") },
      ],
    );
    for (const file of files) assert.deepEqual(await store.stat(file.path), file);
    assert.equal(await store.list(store.join(folder, "missing")), undefined);
    assert.equal(await store.stat(store.join(folder, "missing")), undefined);
  });

  test("lists folders by name, not files, and knows when there is no folder", async () => {
    const { store, folder, put } = await makeStore();
    await put(store.join(folder, "eurjpy", "a.parquet"), "1");
    await put(store.join(folder, "audusd", "deep", "b.parquet"), "1");
    await put(store.join(folder, "audusd", "c.parquet"), "1");
    await put(store.join(folder, "file"), "1");
    assert.deepEqual(await store.listFolders(folder), ["audusd", "eurjpy"]);
    assert.deepEqual(await store.listFolders(store.join(folder, "audusd")), ["deep"]);
    assert.deepEqual(await store.listFolders(store.join(folder, "eurjpy")), []);
    assert.equal(await store.listFolders(store.join(folder, "missing")), undefined);
    assert.equal(await store.listAll(store.join(folder, "missing")), undefined);
    const all = await store.listAll(store.join(folder, "audusd"));
    assert.deepEqual(all?.folders, ["deep"]);
    assert.deepEqual(all?.files, await store.list(store.join(folder, "audusd")));
    assert.equal(await store.listFolders(store.join(folder, "file")), undefined);
  });

  test("a rewritten file has another version, of the same size too", async () => {
    const { store, folder, put } = await makeStore();
    const path = store.join(folder, "a");
    const versions = new Set<string | undefined>();
    for (let round = 0; round < 5; round += 1) {
      await put(path, `round ${round}`);
      versions.add((await store.stat(path))?.version);
      await tick();
    }
    assert.equal(versions.size, 5);
  });

  test("reads exactly the range that is asked for, to the very end", async () => {
    const { store, folder, put } = await makeStore();
    const path = store.join(folder, "a");
    await put(path, "0123456789");
    const file = await store.stat(path);
    assert.ok(file);
    const opened = await store.open(file);
    assert.equal(opened.size, 10);
    assert.equal(opened.version, file.version);
    assert.equal(text(await opened.read(0, 10)), "0123456789");
    assert.equal(text(await opened.read(7, 3)), "789");
    assert.equal(text(await opened.read(10, 0)), "");
    const into = Buffer.from("................");
    const read = await opened.read(3, 4, into);
    assert.equal(text(read), "3456");
    assert.equal(text(into), "3456............", "the buffer's first bytes, no others");
    assert.equal(opened.isRemote, store.isRemote(path));
    if (opened.isRemote) assert.equal(text(await collect(opened.stream(2, 5))), "23456");
    else {
      assert.equal(text(opened.peek(8, 5)), "89");
      assert.equal(text(opened.peek(20, 5)), "");
    }
    await assert.rejects(opened.read(8, 3), /ends|end/);
    await opened.close();
  });

  test("finds no change in a file that is what was listed", async () => {
    const { store, folder, put } = await makeStore();
    const path = store.join(folder, "a");
    await put(path, "0123456789");
    const file = await store.stat(path);
    assert.ok(file);
    assert.equal(await store.findChange(file), undefined);
    const opened = await store.open(file);
    await opened.read(0, 10);
    await opened.close();
    assert.equal(await store.findChange(file), undefined);
  });

  test("does not open a file that has changed since it was listed", async () => {
    const { store, folder, put } = await makeStore();
    const path = store.join(folder, "a");
    await put(path, "before");
    const file = await store.stat(path);
    assert.ok(file);
    await tick();
    await put(path, "after!");
    // Where opening is no request, the first read finds out.
    const open = async () => (await store.open(file)).read(0, 1);
    await assert.rejects(open(), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.exitCode, ExitCode.input);
      assert.match(
        error.message,
        /a changed during the merge: found .*; wait until the extraction has finished, then merge again$/,
      );
      return true;
    });
  });
}

function registerStaging(makeStore: () => Promise<StoreUnderTest>): void {
  test("staged bytes are nowhere under the final name until they are published, whole", async () => {
    const { store, folder } = await makeStore();
    const path = store.join(folder, "new", "out.parquet");
    const staged = await store.stage(path);
    await staged.write(Buffer.from("first "));
    await staged.write(Buffer.from("second"));
    assert.equal(staged.position, 12);
    assert.equal(await store.stat(path), undefined);
    const bytes = Buffer.from("first second");
    assert.deepEqual(await staged.finish(), { size: 12, crc32c: crc32c(bytes) });
    assert.equal(await store.stat(path), undefined);
    const opened = await staged.open();
    assert.equal(text(await opened.read(0, opened.size)), "first second");
    await opened.close();
    await staged.publish();
    await staged.discard();
    assert.equal(await store.readText(path), "first second");
    assert.deepEqual(
      (await store.list(store.join(folder, "new")))?.map(({ name }) => name),
      ["out.parquet"],
    );
  });

  test("overlapping writes keep the order of the calls, and the checksum is of that order", async () => {
    const { store, folder } = await makeStore();
    const path = store.join(folder, "out");
    const staged = await store.stage(path);
    const blocks = Array.from({ length: 40 }, (_, index) => Buffer.alloc((index * 7919) % 70_000, index));
    await Promise.all(blocks.map((block) => staged.write(block)));
    const written = await staged.finish();
    const expected = Buffer.concat(blocks);
    assert.deepEqual(written, { size: expected.length, crc32c: crc32c(expected) });
    await staged.publish();
    const file = await store.stat(path);
    assert.ok(file);
    const opened = await store.open(file);
    assert.ok(expected.equals(await opened.read(0, opened.size)));
    await opened.close();
  });

  test("the checksum of nothing is that of nothing", async () => {
    const { store, folder } = await makeStore();
    const staged = await store.stage(store.join(folder, "empty"));
    assert.deepEqual(await staged.finish(), { size: 0, crc32c: "00000000" });
    await staged.discard();
  });

  test("an existing file stays, unless it is to be replaced", async () => {
    const { store, folder, put, names } = await makeStore();
    const path = store.join(folder, "out");
    await put(path, "old");
    const staged = await store.stage(path);
    await staged.write(Buffer.from("new"));
    await staged.finish();
    const old = await store.stat(path);
    assert.ok(old);
    for (const over of [undefined, "1"]) {
      await assert.rejects(staged.publish(over), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.exitCode, ExitCode.input);
        assert.match(error.message, /another output appeared/);
        return true;
      });
      assert.equal(await store.readText(path), "old");
    }
    await staged.publish(old.version);
    await staged.discard();
    assert.equal(await store.readText(path), "new");
    assert.deepEqual(await names(), ["out"]);
  });

  test("of several writers one publishes", async () => {
    const { store, folder, names } = await makeStore();
    const path = store.join(folder, "out");
    const stages = await Promise.all(Array.from({ length: 8 }, () => store.stage(path)));
    await Promise.all(stages.map((stage, index) => stage.write(Buffer.from(String(index)))));
    await Promise.all(stages.map((stage) => stage.finish()));
    const ends = await Promise.allSettled(stages.map((stage) => stage.publish()));
    const winners = ends.flatMap((end, index) => (end.status === "fulfilled" ? [String(index)] : []));
    assert.equal(winners.length, 1);
    assert.equal(await store.readText(path), winners[0]);
    await Promise.all(stages.map((stage) => stage.discard()));
    assert.deepEqual(await names(), ["out"]);
  });

  test("a writer that finds the very content that it made is done", async () => {
    const { store, folder, put, names } = await makeStore();
    const path = store.join(folder, "out");
    await put(path, "the same");
    const there = await store.stat(path);
    const staged = await store.stage(path);
    await staged.write(Buffer.from("the same"));
    await staged.finish();
    await staged.publish();
    await staged.discard();
    assert.deepEqual(await store.stat(path), there, "what was there is untouched");
    assert.deepEqual(await names(), ["out"]);
  });

  test("what is discarded is gone, finished or not", async () => {
    const { store, folder, names } = await makeStore();
    const staged = await store.stage(store.join(folder, "out"));
    await staged.write(Buffer.from("half"));
    await staged.discard();
    await staged.discard();
    assert.deepEqual(await names(), []);
  });
}

function registerSweeping(makeStore: () => Promise<StoreUnderTest>): void {
  test("what a killed writer left is swept away; what a living one stages stays", async (context) => {
    const { store, folder, names, stagingProgram } = await makeStore();
    const path = store.join(folder, "out");
    const other = await store.stage(store.join(folder, "out.other"));
    const own = await store.stage(path);
    const writers = await Promise.all([startWriter(stagingProgram, path), startWriter(stagingProgram, path)]);
    context.after(() => writers.map((writer) => writer.kill("SIGKILL")));
    assert.equal(await store.sweep(path), 0, "all of them live");
    const before = (await names()).length;
    const [killed, living] = writers;
    await kill(killed);
    assert.equal(await store.sweep(path), 1);
    assert.equal((await names()).length, before - 1);
    await own.write(Buffer.from("still here"));
    await own.finish();
    await own.publish();
    await own.discard();
    assert.equal(await store.readText(path), "still here");
    await kill(living);
    assert.equal(await store.sweep(path), 1);
    assert.equal(await store.sweep(path), 0);
    await other.discard();
    assert.deepEqual(await names(), ["out"]);
  });

  test("a folder that is not there has nothing to sweep", async () => {
    const { store, folder } = await makeStore();
    assert.equal(await store.sweep(store.join(folder, "missing", "out")), 0);
  });
}

async function startWriter(program: string, path: string): Promise<ChildProcess> {
  const writer = spawn(process.execPath, ["--no-warnings", program, path], { stdio: ["ignore", "pipe", "inherit"] });
  assert.ok(writer.stdout);
  const [word] = await once(writer.stdout, "data");
  assert.equal(String(word).trim(), "staged");
  return writer;
}

async function kill(writer: ChildProcess): Promise<void> {
  const ended = once(writer, "exit");
  writer.kill("SIGKILL");
  await ended;
}

function registerDocuments(makeStore: () => Promise<StoreUnderTest>): void {
  test("documents are written whole: readers see the old one or the new one", async () => {
    const { store, folder, names } = await makeStore();
    const path = store.join(folder, "deep", "manifest.json");
    assert.equal(await store.readText(path), undefined);
    const versions = ["a".repeat(200_000), "b".repeat(150_000)] as const;
    await store.writeText(path, versions[0]);
    let writing = true;
    const seen = new Set<string | undefined>();
    const reader = (async () => {
      while (writing) seen.add(await store.readText(path));
    })();
    for (let round = 0; round < 20; round += 1) await store.writeText(path, versions[round % 2 === 0 ? 1 : 0]);
    writing = false;
    await reader;
    for (const content of seen)
      assert.ok(
        versions.some((version) => version === content),
        "a whole version",
      );
    assert.equal(await store.readText(path), versions[0]);
    await store.remove(path);
    await store.remove(path);
    assert.equal(await store.readText(path), undefined);
    assert.deepEqual((await store.list(store.join(folder, "deep"))) ?? [], []);
    assert.deepEqual(
      (await names()).filter((name) => name !== "deep"),
      [],
    );
  });

  test("of several writers that expect the same version of a document, one writes", async () => {
    const { store, folder, names } = await makeStore();
    const path = store.join(folder, "lease.json");
    let expected: string | undefined;
    for (let round = 0; round < 3; round += 1) {
      const texts = Array.from({ length: 6 }, (_, writer) => `round ${round}, writer ${writer}`);
      const written = await Promise.all(texts.map((content) => store.writeTextIf(path, content, expected)));
      assert.equal(written.filter(Boolean).length, 1);
      assert.equal(await store.readText(path), texts[written.indexOf(true)]);
      assert.equal(await store.writeTextIf(path, "late", expected), false);
      await tick();
      expected = (await store.stat(path))?.version;
    }
    assert.deepEqual(await names(), ["lease.json"]);
  });

  test("removes a file, or only the version that is named", async () => {
    const { store, folder, put } = await makeStore();
    const path = store.join(folder, "a");
    await put(path, "old");
    const old = await store.stat(path);
    await tick();
    await put(path, "new");
    await store.remove(path, old?.version);
    assert.equal(await store.readText(path), "new");
    await store.remove(path, (await store.stat(path))?.version);
    assert.equal(await store.stat(path), undefined);
  });

  test("a folder that is not there yet can be written into, and is not made; free space is a number or has no meaning", async () => {
    const { store, folder } = await makeStore();
    const deep = store.join(folder, "a", "b");
    assert.equal(await store.checkWritable(deep), undefined);
    const free = await store.freeBytes(deep);
    assert.deepEqual((await store.list(store.join(folder, "a"))) ?? [], []);
    assert.ok(free === undefined || free > 0);
  });
}
