import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { crc32c } from "./crc32c.ts";
import { findGcsAbsence, startGcs } from "./gcs.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

describe("resumable uploads as Cloud Storage documents them", { skip: findGcsAbsence() }, async () => {
  const gcs = await startGcs();
  after(() => gcs?.stop());
  if (gcs === undefined) return;

  /** Starts a session; resolves to its address, or to the status that refused it. */
  async function start(name: string, query = ""): Promise<string | number> {
    const url = `${gcs?.endpoint}/upload/storage/v1/b/${gcs?.bucket}/o?uploadType=resumable&name=${name}${query}`;
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: "{}" });
    await response.arrayBuffer();
    return response.headers.get("location") ?? response.status;
  }

  /** Sends a chunk or, without a body, a status query. */
  async function put(session: string | number, range: string, body?: Uint8Array<ArrayBuffer>, hash?: string) {
    const headers = { "content-range": range, ...(hash === undefined ? {} : { "x-goog-hash": hash }) };
    const response = await fetch(String(session), { method: "PUT", headers, body: body ?? null });
    const text = await response.text();
    return { status: response.status, range: response.headers.get("range"), text };
  }

  test("chunk by chunk, asked for its state in between", async () => {
    const content = randomBytes(MiB + 1000);
    const session = await start("chunks");
    assert.ok(String(session).startsWith(`${gcs.endpoint}/upload/`));
    assert.deepEqual(await put(session, "bytes */*"), { status: 308, range: null, text: "" });
    const first = await put(session, `bytes 0-${512 * KiB - 1}/*`, content.subarray(0, 512 * KiB));
    assert.deepEqual(first, { status: 308, range: "bytes=0-524287", text: "" });
    assert.deepEqual(await put(session, "bytes */*"), first);
    assert.deepEqual(await put(session, `bytes */${content.length}`), first);
    assert.equal(await gcs.objects.stat("chunks"), undefined);
    const last = `bytes ${512 * KiB}-${content.length - 1}/${content.length}`;
    const done = await put(session, last, content.subarray(512 * KiB));
    assert.equal(done.status, 200);
    assert.deepEqual(await gcs.objects.read("chunks"), content);
    // The answer may have been lost: whoever asks again, or sends the last chunk again, is told of the object.
    for (const again of [await put(session, "bytes */*"), await put(session, last, content.subarray(512 * KiB))]) {
      assert.equal(again.status, 200);
      assert.equal(JSON.parse(again.text).generation, JSON.parse(done.text).generation);
    }
  });

  test("a chunk that was stored in part is skipped up to there; a gap is refused", async () => {
    const content = randomBytes(MiB);
    const session = await start("overlap");
    await put(session, `bytes 0-${512 * KiB - 1}/*`, content.subarray(0, 512 * KiB));
    const gap = await put(session, `bytes ${768 * KiB}-${MiB - 1}/${MiB}`, content.subarray(768 * KiB));
    assert.ok(gap.status >= 400, String(gap.status));
    const other = Buffer.concat([randomBytes(512 * KiB), content.subarray(512 * KiB)]);
    assert.equal((await put(session, `bytes 0-${MiB - 1}/${MiB}`, other)).status, 200);
    assert.deepEqual(await gcs.objects.read("overlap"), content);
  });

  test("of a chunk in the middle, only whole units of 256 KiB are stored", async () => {
    const session = await start("units");
    const answer = await put(session, "bytes 0-299999/*", randomBytes(300_000));
    assert.ok(answer.range === "bytes=0-262143" || answer.status === 400, JSON.stringify(answer));
  });

  test("an open range ends the upload where the body ends", async () => {
    const content = randomBytes(300_001);
    assert.equal((await put(await start("open"), "bytes 0-*/*", content)).status, 200);
    assert.deepEqual(await gcs.objects.read("open"), content);
    assert.equal((await put(await start("nothing"), "bytes */0")).status, 200);
    assert.equal((await gcs.objects.stat("nothing"))?.size, "0");
  });

  test("the precondition of the start holds at the start and at the end", async () => {
    const content = randomBytes(1000);
    const session = await start("guarded", "&ifGenerationMatch=0");
    await gcs.objects.put("guarded", "someone was faster");
    assert.equal((await put(session, "bytes 0-999/1000", content)).status, 412);
    assert.equal((await gcs.objects.read("guarded")).toString(), "someone was faster");
    // Cloud Storage may refuse at the start already; at the end it must.
    const late = await start("guarded", "&ifGenerationMatch=0");
    assert.equal(typeof late === "number" ? late : (await put(late, "bytes 0-999/1000", content)).status, 412);
  });

  test("a checksum that does not fit refuses the object", async () => {
    const content = randomBytes(1000);
    const hash = (bytes: Uint8Array) => `crc32c=${Buffer.from(crc32c(bytes), "hex").toString("base64")}`;
    const wrong = await put(await start("sum"), "bytes 0-999/1000", content, hash(content.subarray(1)));
    assert.equal(wrong.status, 400);
    assert.equal(await gcs.objects.stat("sum"), undefined);
    assert.equal((await put(await start("sum"), "bytes 0-999/1000", content, hash(content))).status, 200);
  });

  test("a session that was cancelled takes nothing more, one that never was is not found", async () => {
    const session = await start("cancelled");
    const response = await fetch(String(session), { method: "DELETE" });
    assert.equal(response.status, 499);
    assert.ok((await put(session, "bytes 0-9/10", randomBytes(10))).status >= 400);
    assert.equal(await gcs.objects.stat("cancelled"), undefined);
    assert.equal((await put(`${session}x`, "bytes */*")).status, 404);
  });
});
