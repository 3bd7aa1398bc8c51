/** Volumes without hard links: SMB, FAT, exFAT and some FUSE file systems. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runTask } from "../../../src/merge/run.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { createLocalStore } from "../../../src/store/local/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { mount } from "../../faults/mount.ts";
import { makeShape } from "../../faults/shapes.ts";
import { makeFolder } from "../../faults/support.ts";
import { failureOf, limits, makeContext, makeSettings, TestPort } from "../../support/in-process.ts";

const probe = mount({ after }, "mqueue");

describe("a volume without hard links", () => {
  const input = makeFolder({ after });
  before(() => makeShape(input, { rows: 200, tables: 2, columns: 2 }));

  /** The merge is refused in preflight, in words, and leaves nothing behind. */
  async function checkRefused(store: Store, output: string, says: RegExp): Promise<void> {
    const port = new TestPort();
    const settings = makeSettings({ input, output });
    const task = { command: "merge", pair: "audusd", settings, limits } as const;
    const failure = await failureOf(runTask(task, makeContext(port, store)));
    assert.equal(failure.exitCode, ExitCode.input, failure.message);
    assert.deepEqual(
      failure.problems.map(({ what, fix }) => [what, fix]),
      [
        [
          `the volume of the output folder has no hard links, without which an output could overwrite another: ${output}`,
          "choose an --output on a local disk, on NFS or in a bucket, and copy output and manifest to this volume afterwards",
        ],
      ],
    );
    assert.match(failure.problems[0]?.found ?? "", says);
    const stages = port.events.flatMap((event) => (event.type === "stage" ? [event.stage] : []));
    assert.deepEqual(stages, ["inventory", "preflight", "plan"]);
  }

  // The file system of POSIX message queues is one that has files, and no hard links.
  it("is refused in preflight", {
    skip: probe === undefined ? "cannot mount mqueue here (needs root on Linux)" : false,
  }, async (context) => {
    const output = mount(context, "mqueue") ?? "";
    const before = readdirSync(output);
    await checkRefused(createLocalStore(true), output, /^EPERM: .*link/);
    assert.deepEqual(readdirSync(output), before);
  });

  // What SMB, exFAT and FUSE answer: these file systems cannot be had on every machine.
  for (const code of ["EPERM", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK"])
    it(`is refused in preflight, whatever it says: ${code}`, async (context) => {
      const folder = makeFolder(context);
      const store = createLocalStore(true, async () => {
        throw Object.assign(new Error(`${code}: link`), { code });
      });
      await checkRefused(store, join(folder, "deep", "out"), new RegExp(`^${code}: link$`));
      assert.deepEqual(readdirSync(folder), []);
    });

  it("is not found where there are hard links, and what a killed check left is removed", async (context) => {
    const folder = makeFolder(context);
    mkdirSync(join(folder, "out"));
    const code = `
      import { createLocalStore } from ${JSON.stringify(new URL("../../../src/store/local/store.ts", import.meta.url).href)};
      await createLocalStore(true, () => process.kill(process.pid, "SIGKILL")).checkPublishable(${JSON.stringify(join(folder, "out"))});`;
    const killed = spawnSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", code]);
    assert.equal(killed.signal, "SIGKILL", killed.stderr.toString());
    assert.equal(readdirSync(join(folder, "out")).length, 1);
    assert.equal(await createLocalStore(true).checkPublishable(join(folder, "out")), undefined);
    assert.deepEqual(readdirSync(join(folder, "out")), []);
  });
});
