import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { findController, takeLease } from "../../src/run/lease.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf } from "../support/in-process.ts";
import { waitFor } from "../support/wait.ts";

const folder = await scratchFolder("lease");
const store = createLocalStore(false);
let count = 0;

function newPath(): string {
  count += 1;
  return join(folder, String(count), "lease.json");
}

function read(path: string): Record<string, string> {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Changes a lease, as another controller would. */
function change(path: string, changes: Record<string, string>): void {
  writeFileSync(path, JSON.stringify({ ...read(path), ...changes }));
}

const oldTime = new Date(Date.now() - 60_000).toISOString();

describe("the lease of a run", () => {
  it("belongs to one controller; the next one learns who holds it, and since when", async () => {
    const path = newPath();
    const lease = await takeLease(store, path, { run: "x" });
    const refused = await failureOf(takeLease(store, path, { run: "x" }));
    assert.equal(refused.exitCode, ExitCode.transient, "it may be free a little later");
    assert.match(
      refused.message,
      new RegExp(
        `run x already has a controller: found process ${process.pid} on .* since .*; follow it .* 30 seconds`,
      ),
    );
    await lease.release();
    assert.equal(await findController(store, path, "x"), undefined);
    await (await takeLease(store, path, { run: "x" })).release();
  });

  it("goes to exactly one of many controllers that ask at the same time", async () => {
    const path = newPath();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => takeLease(store, path, { run: "x" })));
    const held = asked.filter((one) => one.status === "fulfilled");
    assert.equal(held.length, 1);
    await held[0]?.value.release();
  });

  it("is taken over at once from a process on this host that has ended", async (context) => {
    const path = newPath();
    const code = `
      import { takeLease } from "${new URL("../../src/run/lease.ts", import.meta.url).href}";
      import { createLocalStore } from "${new URL("../../src/store/local/store.ts", import.meta.url).href}";
      await takeLease(createLocalStore(false), ${JSON.stringify(path)}, { run: "x" });
      console.log("held");
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", code]);
    context.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    assert.equal((await findController(store, path, "x"))?.pid, child.pid);
    assert.match((await failureOf(takeLease(store, path, { run: "x" }))).message, /already has a controller/);
    child.kill("SIGKILL");
    await once(child, "exit");
    const lease = await takeLease(store, path, { run: "x" });
    assert.equal(read(path).pid, process.pid);
    await lease.release();
  });

  it("is taken over from another host 30 seconds after its last heartbeat", async () => {
    const path = newPath();
    const first = await takeLease(store, path, { run: "x" });
    change(path, { owner: "elsewhere-1-1-abcd", host: "elsewhere" });
    assert.match((await failureOf(takeLease(store, path, { run: "x" }))).message, /on elsewhere/);
    change(path, { heartbeat: oldTime });
    const second = await takeLease(store, path, { run: "x" });
    assert.equal((await failureOf(first.confirm())).exitCode, ExitCode.terminated);
    assert.ok(first.signal.aborted);
    await first.release();
    await second.confirm();
    await second.release();
  });

  it("counts as dead if it cannot be read", async () => {
    const path = newPath();
    await store.writeText(path, "{");
    await (await takeLease(store, path, { run: "x" })).release();
  });

  it("is renewed by heartbeats, each with its callback", async () => {
    const path = newPath();
    let beats = 0;
    const onBeat = async (): Promise<void> => {
      beats += 1;
    };
    const lease = await takeLease(store, path, { run: "x", beatMilliseconds: 5, onBeat });
    const before = read(path).heartbeat;
    await waitFor(() => beats >= 3, { what: "a third heartbeat", everyMilliseconds: 5 });
    await lease.release();
    assert.ok(before !== undefined && beats >= 3);
    assert.equal(await store.stat(path), undefined);
  });

  it("survives a store that cannot be reached for a while", async () => {
    const path = newPath();
    let lost = false;
    const shaky = {
      ...store,
      stat: (name: string) => (lost ? Promise.reject(new Error("out of reach")) : store.stat(name)),
    };
    let beats = 0;
    const onBeat = async (): Promise<void> => {
      beats += 1;
    };
    const lease = await takeLease(shaky, path, { run: "x", beatMilliseconds: 5, onBeat });
    lost = true;
    await waitFor(() => beats >= 3, { what: "a third heartbeat", everyMilliseconds: 5 });
    lost = false;
    await lease.confirm();
    assert.ok(!lease.signal.aborted);
    await lease.release();
  });
});
