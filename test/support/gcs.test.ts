import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Bucket, type File, Storage } from "@google-cloud/storage";
import { crc32c } from "./crc32c.ts";
import { findGcsAbsence, type Gcs, type GcsOptions, startGcs } from "./gcs.ts";
import { waitFor } from "./wait.ts";

const KiB = 1024;
const once = { resumable: false } as const;

/** The real client on a server with these options. */
async function connect(options: GcsOptions = {}): Promise<{ gcs: Gcs; bucket: Bucket }> {
  const gcs = await startGcs(options);
  if (gcs === undefined) throw new Error("no server");
  const storage = new Storage({ apiEndpoint: gcs.endpoint, projectId: "test", retryOptions: { autoRetry: false } });
  return { gcs, bucket: storage.bucket(gcs.bucket) };
}

async function generationOf(file: File): Promise<number> {
  return Number((await file.getMetadata())[0].generation);
}

function base64Crc32c(bytes: Uint8Array): string {
  return Buffer.from(crc32c(bytes), "hex").toString("base64");
}

/** In memory, as most tests use it, and in a folder, as large runs do. */
const folder = mkdtempSync(join(tmpdir(), "widemerge-gcs-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const places: readonly [string, GcsOptions][] = [
  ["in memory", {}],
  ["in a folder", { data: folder }],
];

for (const [place, options] of places) {
  describe(`Cloud Storage for tests, ${place}`, { skip: findGcsAbsence(options) }, async () => {
    const { gcs, bucket } = findGcsAbsence(options) === false ? await connect(options) : ({} as never);
    after(() => gcs?.stop());

    test("an object comes back as it was, and is listed with checksum, size and generation", async () => {
      const content = randomBytes(300 * KiB);
      await bucket.file("set/a.bin").save(content, once);
      await bucket.file("set/deeper/b.bin").save("b", once);
      await bucket.file("set/empty").save("", once);
      assert.deepEqual((await bucket.file("set/a.bin").download())[0], content);
      assert.deepEqual((await bucket.file("set/empty").download())[0], Buffer.alloc(0));
      const [files] = await bucket.getFiles({ prefix: "set/", delimiter: "/" });
      assert.deepEqual(
        files.map((file) => file.name),
        ["set/a.bin", "set/empty"],
      );
      const listed = files[0]?.metadata;
      assert.equal(listed?.crc32c, base64Crc32c(content));
      assert.equal(listed?.md5Hash, createHash("md5").update(content).digest("base64"));
      assert.equal(Number(listed?.size), content.length);
      assert.equal(Number(listed?.generation), await generationOf(bucket.file("set/a.bin")));
      assert.equal(listed?.storageClass, "STANDARD");
      assert.ok(Date.parse(listed?.updated ?? "") > 0);
      assert.equal((await gcs.objects.list("set/")).length, 3);
    });

    test("a listing comes in pages", async () => {
      for (const name of ["p/1", "p/2", "p/3", "p/4", "p/5"]) await gcs.objects.put(name, name);
      const [files] = await bucket.getFiles({ prefix: "p/", maxResults: 2, autoPaginate: true });
      assert.ok(files.length >= 2);
      const [page, next] = await bucket.getFiles({ prefix: "p/", maxResults: 2, autoPaginate: false });
      assert.deepEqual(
        page.map((file) => file.name),
        ["p/1", "p/2"],
      );
      const [second] = await bucket.getFiles({ ...next, autoPaginate: false });
      assert.deepEqual(
        second.map((file) => file.name),
        ["p/3", "p/4"],
      );
    });

    test("ranges, and the generation that they are of", async () => {
      const content = randomBytes(1000 * KiB);
      const file = bucket.file("range.bin");
      await file.save(content, once);
      const old = await generationOf(file);
      const part = await bucket
        .file("range.bin", { generation: old })
        .createReadStream({ start: 5000, end: 5999 })
        .toArray();
      assert.deepEqual(Buffer.concat(part), content.subarray(5000, 6000));
      assert.deepEqual(await gcs.objects.read("range.bin", content.length - 10), content.subarray(-10));
      await assert.rejects(gcs.objects.read("range.bin", content.length), /416/);
      await file.save("new", once);
      const stale = bucket.file("range.bin", { generation: old });
      await assert.rejects(stale.download(), { code: 404 });
      await assert.rejects(stale.getMetadata(), { code: 404 });
      await assert.rejects(stale.createReadStream({ start: 0, end: 1 }).toArray(), { code: 404 });
      assert.equal((await file.download())[0].toString(), "new");
    });

    test("of several writers that expect nothing there, one succeeds", async () => {
      const writers = Array.from({ length: 8 }, (_, i) =>
        bucket.file("race").save(`writer ${i}`, { ...once, preconditionOpts: { ifGenerationMatch: 0 } }),
      );
      const results = await Promise.allSettled(writers);
      const lost = results.filter((result) => result.status === "rejected");
      assert.equal(lost.length, 7);
      for (const result of lost) assert.equal(result.reason.code, 412);
    });

    test("preconditions on overwriting, reading, copying and deleting", async () => {
      const file = bucket.file("conditional");
      await file.save("1", once);
      const first = await generationOf(file);
      await file.save("2", { ...once, preconditionOpts: { ifGenerationMatch: first } });
      const second = await generationOf(file);
      assert.ok(second > first);
      const stale = { preconditionOpts: { ifGenerationMatch: first } };
      await assert.rejects(file.save("3", { ...once, ...stale }), { code: 412 });
      await assert.rejects(bucket.file("nothing").save("3", { ...once, ...stale }), { code: 412 });
      await assert.rejects(file.delete({ ifGenerationMatch: first }), { code: 412 });
      await assert.rejects(bucket.file("nothing").delete({ ifGenerationMatch: first }), { code: 404 });
      await bucket.file("other").save("other", once);
      await assert.rejects(bucket.file("other").copy(file, stale), { code: 412 });
      await assert.rejects(bucket.file("other").copy(file, { preconditionOpts: { ifGenerationMatch: 0 } }), {
        code: 412,
      });
      assert.equal((await file.download())[0].toString(), "2");
      await bucket.file("other").copy(file, { preconditionOpts: { ifGenerationMatch: second } });
      assert.equal((await file.download())[0].toString(), "other");
      await file.delete({ ifGenerationMatch: await generationOf(file) });
      assert.equal(await gcs.objects.stat("conditional"), undefined);
    });

    test("a checksum that does not fit refuses the upload", async () => {
      const url = `${gcs.endpoint}/upload/storage/v1/b/${gcs.bucket}/o?uploadType=multipart&name=damaged`;
      const metadata = JSON.stringify({ crc32c: base64Crc32c(Buffer.from("meant")) });
      const part = (type: string, text: string) => `--cut\r\ncontent-type: ${type}\r\n\r\n${text}\r\n`;
      const body = `${part("application/json", metadata)}${part("text/plain", "sent")}--cut--\r\n`;
      const headers = { "content-type": "multipart/related; boundary=cut" };
      assert.equal((await fetch(url, { method: "POST", headers, body })).status, 400);
      assert.equal(await gcs.objects.stat("damaged"), undefined);
    });

    test("a tree of compositions: content, checksum and number of components, no MD5", async () => {
      const parts = Array.from({ length: 40 }, (_, i) => randomBytes(1000 + i));
      for (const [i, part] of parts.entries()) await gcs.objects.put(`part/${i}`, part);
      const names = parts.map((_, i) => bucket.file(`part/${i}`));
      await bucket.combine(names.slice(0, 32), "tree/left");
      await bucket.combine(names.slice(32), "tree/right");
      await bucket.combine(["tree/left", "tree/right"], "tree/root");
      const whole = Buffer.concat(parts);
      assert.deepEqual(await gcs.objects.read("tree/root"), whole);
      const root = (await bucket.file("tree/root").getMetadata())[0];
      assert.equal(root.componentCount, 40);
      assert.equal(root.crc32c, base64Crc32c(whole));
      assert.equal(root.md5Hash, undefined);
      const listed = (await gcs.objects.list("tree/root"))[0];
      assert.equal(listed?.componentCount, 40);
      assert.equal(listed?.md5Hash, undefined);
      assert.deepEqual((await bucket.file("tree/root").download())[0], whole);
      await assert.rejects(bucket.combine([...names.slice(0, 33)], "tree/too-many"), { code: 400 });
    });

    test("a composition holds to generations of sources and destination", async () => {
      const a = await gcs.objects.put("c/a", "a");
      const b = await gcs.objects.put("c/b", "b");
      const compose = async (sources: readonly object[], query = "") => {
        const url = `${gcs.endpoint}/storage/v1/b/${gcs.bucket}/o/${encodeURIComponent("c/out")}/compose${query}`;
        const body = JSON.stringify({ sourceObjects: sources, destination: { contentType: "text/plain" } });
        const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
        return [response.status, (await response.json()) as { generation: string }] as const;
      };
      const exact = [
        { name: "c/a", generation: a.generation },
        { name: "c/b", objectPreconditions: { ifGenerationMatch: b.generation } },
      ];
      assert.equal((await compose([{ name: "c/a", generation: "1" }]))[0], 404);
      assert.equal((await compose([{ name: "c/missing" }]))[0], 404);
      assert.equal((await compose([{ name: "c/a", objectPreconditions: { ifGenerationMatch: "1" } }]))[0], 412);
      assert.equal((await compose(exact, "?ifGenerationMatch=1"))[0], 412);
      assert.equal(await gcs.objects.stat("c/out"), undefined);
      const [status, made] = await compose(exact, "?ifGenerationMatch=0");
      assert.equal(status, 200);
      assert.equal((await compose(exact, "?ifGenerationMatch=0"))[0], 412);
      // Appending to itself: the destination is one of the sources.
      assert.equal((await compose([{ name: "c/out" }, ...exact], `?ifGenerationMatch=${made.generation}`))[0], 200);
      assert.equal((await gcs.objects.read("c/out")).toString(), "abab");
    });
  });
}

const denying: GcsOptions = { denyRead: ["secret/"], denyWrite: ["kept/"] };

describe("missing permissions", { skip: findGcsAbsence(denying) }, () => {
  test("reads and writes under the denied prefixes are answered 403", async () => {
    const { gcs, bucket } = await connect(denying);
    await bucket.file("secret/a").save("a", once);
    await assert.rejects(bucket.file("secret/a").download(), { code: 403 });
    await assert.rejects(bucket.file("secret/a").getMetadata(), { code: 403 });
    await assert.rejects(bucket.combine(["secret/a"], "b"), { code: 403 });
    await assert.rejects(bucket.file("kept/a").save("a", once), { code: 403 });
    await assert.rejects(bucket.file("kept/a").save("a", { resumable: true }), { code: 403 });
    await assert.rejects(bucket.file("kept/a").delete(), { code: 403 });
    await bucket.file("free/a").save("a", once);
    await gcs.stop();
  });
});

test("the server ends with the test process, even when that is killed", {
  skip: findGcsAbsence({ denyRead: [] }),
}, async () => {
  const module = JSON.stringify(new URL("./gcs.ts", import.meta.url).href);
  const program = `const { startGcs } = await import(${module});
    console.log((await startGcs({ denyRead: [] })).endpoint);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", program]);
  const endpoint = String((await child.stdout.take(1).toArray())[0]).trim();
  const listens = () =>
    fetch(`${endpoint}/storage/v1/b?project=test`).then(
      () => true,
      () => false,
    );
  assert.ok(await listens());
  child.kill("SIGKILL");
  await waitFor(async () => !(await listens()), { what: "the server's end" });
});
