import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { Failure } from "../../../src/model/failure.ts";
import type { InputFile } from "../../../src/model/plan.ts";
import { partBytes } from "../../../src/store/gcs/compose.ts";
import { createGcsStore } from "../../../src/store/gcs/store.ts";
import { crc32c } from "../../support/crc32c.ts";
import { findGcsAbsence, startGcs } from "../../support/gcs.ts";
import { storeContract } from "../../support/store-contract.ts";

const absence = findGcsAbsence();
const gcs = await startGcs();
after(() => gcs?.stop());
let cases = 0;

/** A folder of its own in the test's bucket. */
function makeCase() {
  if (gcs === undefined) throw new Error("no server");
  cases += 1;
  const prefix = `case-${cases}`;
  const root = `gs://${gcs.bucket}/`;
  const store = createGcsStore({ endpoint: gcs.endpoint });
  return {
    store,
    folder: `${root}${prefix}`,
    objects: gcs.objects,
    put: async (path: string, text: string) => void (await gcs.objects.put(path.slice(root.length), text)),
    /** Scratch objects by their whole name, of the rest the first part. */
    names: async () => {
      const names = (await gcs.objects.list(`${prefix}/`)).map(({ name }) => name.slice(prefix.length + 1));
      return [
        ...new Set(names.map((name) => (name.startsWith(".scratch/") ? name : (name.split("/")[0] ?? "")))),
      ].sort();
    },
    stagingProgram: new URL("../../support/stage-object.ts", import.meta.url).pathname,
  };
}

if (absence !== false) test("Cloud Storage as a store", { skip: absence }, () => undefined);
else {
  process.env.WIDEMERGE_GCS_ENDPOINT = gcs?.endpoint;
  storeContract("Cloud Storage", async () => makeCase());
}

describe("Cloud Storage", { skip: absence }, () => {
  /** Objects as inputs of a composition. */
  async function putInputs(count: number) {
    const made = makeCase();
    const contents = Array.from({ length: count }, (_, index) => Buffer.alloc(1 + ((index * 7919) % 5000), index));
    for (const [index, content] of contents.entries())
      await made.put(
        made.store.join(made.folder, "in", `t${String(index).padStart(3, "0")}`),
        content.toString("latin1"),
      );
    const files = (await made.store.list(made.store.join(made.folder, "in"))) ?? [];
    const inputs: InputFile[] = files.map(({ name, ...file }) => ({ table: name, ...file }));
    return { ...made, inputs, output: made.store.join(made.folder, "out", "training_x.parquet") };
  }

  test("lists more objects than one page holds, with the sums that the service knows", async () => {
    const { store, folder, put } = makeCase();
    const names = Array.from({ length: 1050 }, (_, index) => `t${String(index).padStart(4, "0")}`);
    for (let at = 0; at < names.length; at += 50)
      await Promise.all(names.slice(at, at + 50).map((name) => put(store.join(folder, name), name)));
    const files = (await store.list(folder)) ?? [];
    assert.deepEqual(
      files.map(({ name, crc32c: sum }) => [name, sum]),
      names.map((name) => [name, crc32c(Buffer.from(name))]),
    );
  });

  test("opening asks for nothing, a range for one request, and both are counted", async () => {
    const { store, folder, put } = makeCase();
    const path = store.join(folder, "a");
    await put(path, "0123456789");
    const file = await store.stat(path);
    assert.ok(file);
    const before = store.traffic();
    const opened = await store.open(file);
    await opened.read(2, 5);
    await opened.close();
    const after = store.traffic();
    assert.equal(after.classB - before.classB, 1);
    assert.equal(after.bytesDown - before.bytesDown, 5);
  });

  for (const count of [1, 31, 32, 33, 70])
    test(`composes ${count} inputs with parts between them, as a tree`, async () => {
      const { store, inputs, output, names, objects, folder } = await putInputs(count);
      const staged = await store.stage(output, { linked: true, bufferBytes: 2 * partBytes });
      const expected: Buffer[] = [];
      const write = async (bytes: Buffer) => {
        expected.push(bytes);
        await staged.write(bytes);
      };
      await write(Buffer.from("PAR1"));
      for (const [index, input] of inputs.entries()) {
        assert.equal(staged.position, Buffer.concat(expected).length);
        staged.link(input);
        expected.push(Buffer.alloc(input.size, index));
        if (index % 10 === 3) await write(Buffer.from(`between ${index}`));
      }
      await write(Buffer.alloc(partBytes + 5, 7));
      const whole = Buffer.concat(expected);
      const latin = Buffer.from(await readAll(objects, inputs));
      assert.ok(latin.length > 0);
      assert.deepEqual(await staged.finish(), { size: whole.length, crc32c: crc32c(whole) });
      assert.equal(await store.stat(output), undefined, "nothing has the final name yet");
      await staged.publish();
      await staged.discard();
      const found = await objects.read(output.slice(output.indexOf("case-")));
      assert.ok(whole.equals(found));
      assert.deepEqual(
        (await names()).filter((name) => name.startsWith(".scratch")),
        [],
        folder,
      );
    });

  test("does not compose an input that was replaced since it was listed", async () => {
    const { store, inputs, output, put, names } = await putInputs(3);
    const staged = await store.stage(output, { linked: true });
    for (const input of inputs) staged.link(input);
    await put(inputs[1]?.path ?? "", "another");
    await assert.rejects(staged.finish(), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.exitCode, ExitCode.input);
      return true;
    });
    await staged.discard();
    assert.deepEqual(await names(), ["in"]);
  });

  test("every path is remote", () => {
    assert.equal(makeCase().store.isRemote("gs://bucket/folder"), true);
  });

  test("links no input to an output that was not staged for it", async () => {
    const { store, inputs, output } = await putInputs(1);
    const staged = await store.stage(output);
    const [input] = inputs;
    assert.ok(input);
    assert.throws(() => staged.link(input), /not staged as linked/);
    await staged.discard();
  });

  test("takes inputs whole only in the bucket where they lie", async () => {
    const { store } = makeCase();
    assert.equal(await store.canLink("gs://one-bucket/in", "gs://one-bucket/out"), true);
    assert.match(
      String(await store.canLink("gs://one-bucket/in", "gs://other-bucket/out")),
      /one-bucket.*other-bucket/,
    );
  });

  for (const path of ["gs://", "gs://Upper/x", "gs://a/x", "gs://bucket/../x", "gs://bucket/a/./b"])
    test(`${path} is not a path`, () => {
      assert.throws(() => makeCase().store.join(path, "a"), { exitCode: ExitCode.usage });
    });

  test("a bucket that is not there is told by name", async () => {
    const { store } = makeCase();
    await assert.rejects(store.list("gs://no-such-bucket-here/x"), /no-such-bucket-here/);
    assert.match((await store.checkWritable("gs://no-such-bucket-here/x")) ?? "", /no-such-bucket-here/);
  });

  test("missing permissions are told with what to grant", async (context) => {
    const denied = await startGcs({ denyRead: ["secret"], denyWrite: ["closed"] });
    context.after(() => denied?.stop());
    assert.ok(denied);
    const store = createGcsStore({ endpoint: denied.endpoint });
    const root = `gs://${denied.bucket}`;
    await assert.rejects(store.readText(`${root}/secret/a`), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.exitCode, ExitCode.input);
      assert.match(error.message, /403.*storage\.objects\.get.*roles\/storage\.objectUser/);
      return true;
    });
    assert.match((await store.checkWritable(`${root}/closed`)) ?? "", /403.*storage\.objects\.create/);
  });
});

async function readAll(
  objects: { read(name: string): Promise<Buffer> },
  inputs: readonly InputFile[],
): Promise<Uint8Array> {
  const all: Buffer[] = [];
  for (const { path } of inputs) all.push(await objects.read(path.slice(path.indexOf("case-"))));
  return Buffer.concat(all);
}
