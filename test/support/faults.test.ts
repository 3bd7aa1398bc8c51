import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { Storage } from "@google-cloud/storage";
import { type Exchange, type FaultProxy, type Rule, startProxy } from "./faults.ts";
import { findGcsAbsence, startGcs } from "./gcs.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const is =
  (kind: Exchange["kind"], ordinal = 1) =>
  (exchange: Exchange) =>
    exchange.kind === kind && exchange.ordinal === ordinal;

describe("faults on the wire to Cloud Storage", { skip: findGcsAbsence() }, async () => {
  const gcs = await startGcs();
  after(() => gcs?.stop());
  if (gcs === undefined) return;

  async function through(...rules: Rule[]): Promise<FaultProxy> {
    const proxy = await startProxy(gcs?.endpoint ?? "", rules);
    after(() => proxy.stop());
    return proxy;
  }

  /** The real client through a proxy; it waits at most a second before it tries again, the least that it takes. */
  function bucketAt(proxy: FaultProxy, autoRetry = true) {
    const retryOptions = { autoRetry, maxRetries: 5, maxRetryDelay: 1 };
    return new Storage({ apiEndpoint: proxy.endpoint, projectId: "test", retryOptions }).bucket(gcs?.bucket ?? "");
  }

  function upload(proxy: FaultProxy, name: string, content: Uint8Array<ArrayBuffer>): Promise<Response> {
    const url = `${proxy.endpoint}/upload/storage/v1/b/${gcs?.bucket}/o?uploadType=media&name=${name}`;
    return fetch(url, { method: "POST", body: content });
  }

  function read(proxy: FaultProxy, name: string, options: RequestInit = {}): Promise<Response> {
    return fetch(`${proxy.endpoint}/storage/v1/b/${gcs?.bucket}/o/${name}?alt=media`, options);
  }

  test("without a rule everything passes, counted by kind and by bytes", async () => {
    const proxy = await through();
    const bucket = bucketAt(proxy);
    const content = randomBytes(600 * KiB);
    await bucket.file("plain").save(content, { resumable: true, chunkSize: 256 * KiB });
    assert.deepEqual((await bucket.file("plain").download())[0], content);
    await bucket.combine(["plain", "plain"], "twice");
    await bucket.file("twice").copy(bucket.file("copy"));
    await bucket.getFiles({ prefix: "tw" });
    await bucket.file("twice").getMetadata();
    await bucket.file("twice").delete();
    await upload(proxy, "small", Buffer.from("small"));
    for (const kind of [
      "resumable start",
      "media",
      "compose",
      "copy",
      "list",
      "metadata",
      "delete",
      "upload",
    ] as const) {
      assert.equal(proxy.count(kind), 1, kind);
    }
    assert.deepEqual(
      proxy.requests.filter((r) => r.kind === "resumable chunk").map((r) => [r.requestBytes, r.lastChunk, r.status]),
      [
        [256 * KiB, false, 308],
        [256 * KiB, false, 308],
        [88 * KiB, true, 200],
      ],
    );
    assert.equal(proxy.requests.find((r) => r.kind === "media")?.responseBytes, content.length);
    assert.ok(proxy.bytes().sent > content.length && proxy.bytes().received > content.length);
    assert.deepEqual(
      proxy.requests.filter((r) => r.fault !== undefined),
      [],
    );
  });

  test("an answer in the server's place, as often as the rule says", async () => {
    const proxy = await through(
      { on: (exchange) => exchange.kind === "upload", fault: { kind: "answer", status: 503 }, times: 2 },
      { on: (exchange) => exchange.kind === "upload", fault: { kind: "answer", status: 429 } },
    );
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await upload(proxy, "answered", Buffer.from(`try ${i}`))).status);
    assert.deepEqual(statuses, [503, 503, 429, 200]);
    assert.equal((await gcs.objects.read("answered")).toString(), "try 3");
  });

  test("503 after a part of an upload leaves no object; of a session it leaves what was stored", async () => {
    const proxy = await through(
      { on: is("upload"), fault: { kind: "answer", status: 503, requestBytes: 100 * KiB } },
      { on: is("resumable chunk"), fault: { kind: "answer", status: 503, requestBytes: 600 * KiB } },
    );
    const content = randomBytes(MiB);
    assert.equal((await upload(proxy, "broken", content)).status, 503);
    assert.equal(proxy.requests[0]?.requestBytes, 100 * KiB);
    assert.equal(await gcs.objects.stat("broken"), undefined);
    await bucketAt(proxy)
      .file("resumed")
      .save(content, { resumable: true, preconditionOpts: { ifGenerationMatch: 0 } });
    assert.deepEqual(await gcs.objects.read("resumed"), content);
    const [broken, rest] = proxy.requests.filter((r) => r.kind === "resumable chunk");
    assert.deepEqual([broken?.requestBytes, broken?.status], [600 * KiB, 503]);
    assert.equal(proxy.count("resumable status"), 1);
    assert.equal(rest?.range, `bytes ${512 * KiB}-*/*`);
    assert.equal(rest?.requestBytes, 512 * KiB);
  });

  test("a reset in the last chunk of a resumable upload: the client asks for the state and sends the rest", async () => {
    const proxy = await through({
      on: (exchange) => exchange.lastChunk,
      fault: { kind: "reset", at: { requestBytes: 300 * KiB } },
    });
    const content = randomBytes(2 * MiB + 400 * KiB);
    await bucketAt(proxy)
      .file("last")
      .save(content, { resumable: true, chunkSize: MiB, preconditionOpts: { ifGenerationMatch: 0 } });
    assert.deepEqual(await gcs.objects.read("last"), content);
    const chunks = proxy.requests.filter((r) => r.kind === "resumable chunk");
    assert.deepEqual(
      chunks.map((r) => r.fault),
      [undefined, undefined, "reset", undefined],
    );
    assert.equal(chunks[3]?.requestBytes, 144 * KiB);
    assert.equal(proxy.count("resumable status"), 1);
  });

  test("a reset in a download: so many bytes, then a broken connection", async () => {
    const content = randomBytes(MiB);
    await gcs.objects.put("download", content);
    const proxy = await through({ on: is("media"), fault: { kind: "reset", at: { responseBytes: 300 * KiB } } });
    const response = await read(proxy, "download");
    assert.equal(response.headers.get("content-length"), String(content.length));
    await assert.rejects(response.arrayBuffer(), (error: Error) =>
      /ECONNRESET/.test(String((error.cause as { code?: string })?.code)),
    );
    assert.equal(proxy.requests[0]?.responseBytes, 300 * KiB);
    assert.deepEqual(Buffer.from(await (await read(proxy, "download")).arrayBuffer()), content);
  });

  test("a stall: bytes up to there, and then nothing on an open connection", async () => {
    const content = randomBytes(MiB);
    await gcs.objects.put("stalled", content);
    const proxy = await through(
      { on: is("media"), fault: { kind: "stall", at: { responseBytes: 100 * KiB } } },
      { on: is("upload"), fault: { kind: "stall", at: { requestBytes: 100 * KiB } } },
    );
    const given = new AbortController();
    const reader = (await read(proxy, "stalled", { signal: given.signal })).body?.getReader();
    let received = 0;
    while (received < 100 * KiB) received += (await reader?.read())?.value?.length ?? Number.NaN;
    assert.equal(received, 100 * KiB);
    const stalledUpload = upload(proxy, "never", content);
    const quiet = new Promise((resolve) => setTimeout(resolve, 100, "quiet"));
    assert.equal(await Promise.race([reader?.read(), stalledUpload, quiet]), "quiet");
    given.abort();
    await proxy.stop();
    await assert.rejects(stalledUpload);
    assert.equal(await gcs.objects.stat("never"), undefined);
  });

  test("a request that is delivered twice: the precondition lets one through, the client sees either answer", async () => {
    for (const [answer, status] of [
      ["first", 200],
      ["second", 412],
    ] as const) {
      const proxy = await through({ on: is("upload"), fault: { kind: "duplicate", answer } });
      const url = `${proxy.endpoint}/upload/storage/v1/b/${gcs.bucket}/o?uploadType=media&name=dup-${answer}&ifGenerationMatch=0`;
      const response = await fetch(url, { method: "POST", body: "once" });
      assert.equal(response.status, status);
      await response.json();
      assert.equal((await gcs.objects.read(`dup-${answer}`)).toString(), "once");
    }
    const twice = await through({ on: is("upload"), fault: { kind: "duplicate", answer: "first" } });
    const made = (await (await upload(twice, "overwritten", Buffer.from("x"))).json()) as { generation: string };
    assert.notEqual((await gcs.objects.stat("overwritten"))?.generation, made.generation);
  });

  test("an answer that is lost: the work is done, the client does not know", async () => {
    const content = randomBytes(600 * KiB);
    const proxy = await through(
      { on: is("upload"), fault: { kind: "lose response" } },
      { on: (exchange) => exchange.lastChunk, fault: { kind: "lose response" } },
      { on: is("compose"), fault: { kind: "lose response" } },
    );
    await assert.rejects(upload(proxy, "done", Buffer.from("done")));
    assert.equal((await gcs.objects.read("done")).toString(), "done");
    const options = { resumable: true, chunkSize: 256 * KiB, preconditionOpts: { ifGenerationMatch: 0 } };
    await bucketAt(proxy)
      .file("session")
      .save(content, options)
      .catch(() => {});
    assert.deepEqual(await gcs.objects.read("session"), content);
    const bucket = bucketAt(proxy, false);
    await assert.rejects(bucket.combine(["done", "done"], "both"));
    assert.equal((await gcs.objects.read("both")).toString(), "donedone");
  });
});
