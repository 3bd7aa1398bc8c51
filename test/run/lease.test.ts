import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { systemClock } from "../../src/run/clock.ts";
import { askForLease, takeLease } from "../../src/run/lease.ts";
import { type ControllerState, type LeaseDocument, LeaseWatch } from "../../src/run/lease-watch.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { MemoryStore } from "../simulation/memory-store.ts";
import { VirtualProcess, VirtualTime } from "../simulation/virtual-time.ts";
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

/** What a single look tells of the controller. */
async function lookAt(path: string): Promise<ControllerState> {
  return (await new LeaseWatch(systemClock).look(store, path)).state;
}

describe("the lease of a run", () => {
  it("belongs to one controller; the next one learns who holds it, and since when", async () => {
    const path = newPath();
    const lease = await takeLease(store, path, { run: "x" });
    const refused = await failureOf(takeLease(store, path, { run: "x" }));
    assert.equal(refused.exitCode, ExitCode.transient, "it may be free a little later");
    assert.match(
      refused.message,
      new RegExp(
        `run x already has a controller: found process ${process.pid} on .* since .*, and it is alive; follow it .* 30 seconds`,
      ),
    );
    await lease.release();
    assert.equal(await lookAt(path), "none");
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
    assert.deepEqual([await lookAt(path), read(path).pid], ["alive", child.pid]);
    assert.match((await failureOf(takeLease(store, path, { run: "x" }))).message, /already has a controller/);
    child.kill("SIGKILL");
    await once(child, "exit");
    const lease = await takeLease(store, path, { run: "x" });
    assert.equal(read(path).pid, process.pid);
    await lease.release();
  });

  it("is taken over at once from a process on this host that has ended, and watched if it is suspended", async (context) => {
    const path = newPath();
    const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000); console.log(1)"]);
    context.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const lease = await takeLease(store, path, { run: "x" });
    const start = readFileSync(`/proc/${child.pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ")[19];
    const [host] = read(path).owner?.split("-") ?? [];
    change(path, { owner: `${host}-${child.pid}-${start}-abcd` });
    assert.equal(await lookAt(path), "alive");
    child.kill("SIGSTOP");
    await waitFor(async () => (await lookAt(path)) === "unknown", { what: "the stop", everyMilliseconds: 5 });
    const told: string[] = [];
    const next = await takeLease(store, path, { run: "x", staleMilliseconds: 120, onWatch: (text) => told.push(text) });
    assert.match(
      told.join(),
      /^the lease of run x is held by process \d+ on .*: it is taken over if no heartbeat comes within 0.12 seconds$/,
    );
    assert.equal((await failureOf(lease.confirm())).exitCode, ExitCode.superseded);
    await next.release();
  });

  it("counts as dead if it cannot be read and stays as it is", async () => {
    const path = newPath();
    await store.writeText(path, "{");
    assert.equal(await lookAt(path), "unknown");
    await (await takeLease(store, path, { run: "x", staleMilliseconds: 60 })).release();
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

/** Controllers on machines of their own, in virtual time. */
describe("a lease of another machine", () => {
  const path = "runs/x/lease.json";
  const far = { owner: "far-1-1-aa", run: "x" };

  function newWorld() {
    const [time, store] = [new VirtualTime(), new MemoryStore()];
    const newProcess = (skew = 0): VirtualProcess => new VirtualProcess(time, { random: () => 0.5, skew });
    const readLease = (): LeaseDocument => JSON.parse(store.documents.get(path)?.text ?? "{}");
    const ask = (owner: string, clock: VirtualProcess) =>
      time.runUntil(askForLease(store, path, { run: "x", owner, clock }));
    return { time, store, newProcess, readLease, ask };
  }

  it("is refused as soon as a heartbeat comes, and taken over 30 seconds after the last one", async () => {
    const { time, store, newProcess, readLease, ask } = newWorld();
    const holder = newProcess();
    await takeLease(store, path, { ...far, clock: holder });
    const refused = await ask("next-1-1-bb", newProcess());
    assert.match(String(refused), /already has a controller/);
    assert.ok(time.now <= 6000, `${time.now} ms`);
    holder.kill();
    const before = time.now;
    await ask("next-1-1-bb", newProcess());
    assert.equal(readLease().owner, "next-1-1-bb");
    assert.ok(time.now - before >= 30_000 && time.now - before < 32_000, `${time.now - before} ms`);
  });

  for (const [about, skew] of [
    ["two minutes ahead", 120_000],
    ["in 2031", 5 * 365 * 86_400_000],
    ["a day behind", -86_400_000],
  ] as const)
    for (const who of ["holder", "watcher"] as const)
      it(`is judged alike with the clock of the ${who} ${about}: kept while it beats, free once it does not`, async () => {
        const { store, newProcess, readLease, ask } = newWorld();
        const skews = who === "holder" ? { holder: skew, watcher: 0 } : { holder: 0, watcher: skew };
        const holder = newProcess(skews.holder);
        const lease = await takeLease(store, path, { ...far, clock: holder });
        assert.match(String(await ask("next-1-1-bb", newProcess(skews.watcher))), /already has/);
        assert.ok(!lease.signal.aborted);
        holder.kill();
        await ask("next-1-1-bb", newProcess(skews.watcher));
        assert.equal(readLease().owner, "next-1-1-bb");
      });

  it("is unknown at the first look, alive once its heartbeat changes, and gone after 30 seconds without one", async () => {
    const { time, store, newProcess } = newWorld();
    const [holder, watcher] = [newProcess(), newProcess()];
    await takeLease(store, path, { ...far, clock: holder });
    const watch = new LeaseWatch(watcher);
    const states: ControllerState[] = [];
    for (let second = 0; second < 80; second += 4) {
      if (second === 20) holder.kill();
      states.push((await watch.look(store, path)).state);
      await time.runUntil(watcher.sleep(4000));
    }
    assert.equal(states[0], "unknown");
    assert.equal(states[5], "alive");
    assert.deepEqual([states[11], states[14]], ["alive", "none"]);
  });

  it("needs 30 seconds of looks without a gap: a watcher that was suspended starts again", async () => {
    const { time, store, newProcess, readLease } = newWorld();
    const [holder, watcher] = [newProcess(), newProcess()];
    await takeLease(store, path, { ...far, clock: holder });
    // Both are suspended, as when a whole machine sleeps. The watcher is the first to wake.
    const asking = askForLease(store, path, { run: "x", owner: "next-1-1-bb", clock: watcher });
    await time.runUntil(time.sleep(3000));
    holder.suspend(100_000);
    watcher.suspend(99_000);
    const answer = await time.runUntil(asking);
    assert.match(String(answer), /already has a controller/);
    assert.equal(readLease().owner, far.owner);
  });

  it("changes with every heartbeat, although the clock of its holder stands still", async () => {
    const { time, store, newProcess } = newWorld();
    const holder = newProcess();
    const frozen = { now: () => holder.now(), stamp: () => "2031-01-01T00:00:00.000Z", random: Math.random };
    const clock = { ...frozen, sleep: holder.sleep.bind(holder), repeat: holder.repeat.bind(holder) };
    await takeLease(store, path, { ...far, clock });
    const seen = new Set<string | undefined>();
    for (let beat = 0; beat < 4; beat += 1) {
      seen.add(store.documents.get(path)?.text);
      await time.runUntil(time.sleep(5000));
    }
    assert.equal(seen.size, 4);
  });
});
