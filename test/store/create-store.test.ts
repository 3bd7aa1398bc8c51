import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createStore } from "../../src/store/create-store.ts";
import { scratchFolder } from "../support/folder.ts";
import { findGcsAbsence, startGcs } from "../support/gcs.ts";

const absence = findGcsAbsence();
const folder = await scratchFolder("create-store");
const settings = { sync: true, stallSeconds: 5 };

test("a store of folders alone makes no requests and knows no bucket", async () => {
  const store = createStore(settings);
  assert.equal(store.isRemote(folder), false);
  assert.equal(store.traffic().classA, 0);
});

test("one store reads from a folder and writes to a bucket", { skip: absence }, async (context) => {
  const gcs = await startGcs();
  assert.ok(gcs);
  context.after(() => gcs.stop());
  const bucket = `gs://${gcs.bucket}/mixed`;
  const store = createStore({ ...settings, gcsEndpoint: gcs.endpoint });
  assert.deepEqual([store.isRemote(folder), store.isRemote(bucket)], [false, true]);
  assert.match(String(await store.canLink(folder, bucket)), /not in the same bucket/);
  assert.equal(await store.canLink(bucket, bucket), true);
  const [from, to] = [join(folder, "a"), store.join(bucket, "a")];
  writeFileSync(from, "content");
  await store.writeText(to, (await store.readText(from)) ?? "");
  assert.equal(await store.readText(to), "content");
  assert.equal(store.traffic().bytesUp, 7);
  assert.equal(await store.freeBytes(bucket), undefined);
  assert.ok(((await store.freeBytes(folder)) ?? 0) > 0);
  assert.equal(await store.sweep(from, to), 0);
});
