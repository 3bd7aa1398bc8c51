import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Backend } from "../../../src/backend/backend.ts";
import { identify, isRunning } from "../../../src/backend/local/process.ts";
import { ExitCode } from "../../../src/model/exit-code.ts";
import type { Launch, TaskStatus } from "../../../src/model/run.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf } from "../../support/in-process.ts";
import { makeLocalBackend } from "../../support/local-backend.ts";
import { GiB, makeLaunch, makeStand, type Stand, workerScript } from "../../support/run.ts";
import { waitFor } from "../../support/wait.ts";
import { allOver, statusOf, watchToEnd, watchUntil } from "../../support/watch.ts";
import { backendContract } from "../contract.ts";

const folder = await scratchFolder("local-backend");

function newStand(pairs: readonly string[] = []): Stand {
  return makeStand(mkdtempSync(join(folder, "stand-")), pairs);
}

/** The process numbers of workers of a launch that still run. */
function findWorkers({ run }: Launch, stand: Stand): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [environment, state] = [readFileSync(`/proc/${pid}/environ`, "latin1"), identify(Number(pid))];
      return (
        state !== undefined && environment.includes(`WIDEMERGE_RUN=${run}\0`) && environment.includes(stand.output)
      );
    } catch {
      return false;
    }
  });
}

const many = 200;
const allPairs = ["ok1", "ok2", "ok3", "once1", "storage1", "input1"];
backendContract(
  "local",
  async () => {
    const stand = newStand([...allPairs, ...Array.from({ length: many }, (_, index) => `ok${index}`)]);
    const make = (): Backend =>
      makeLocalBackend(stand, { environment: { PATH: process.env.PATH ?? "", STAND: stand.output } });
    return { backend: make(), another: make, leftovers: async (launch) => findWorkers(launch, stand) };
  },
  { many, ...(existsSync("/proc") ? {} : { skip: "needs /proc" }) },
);

/** A process that submits a launch and waits to be killed once its first worker has started. */
async function submitElsewhere(stand: Stand, launch: Launch, seconds: number): Promise<ChildProcess> {
  const code = `
    import { makeLocalBackend } from "${new URL("../../support/local-backend.ts", import.meta.url).href}";
    import { waitFor } from "${new URL("../../support/wait.ts", import.meta.url).href}";
    const stand = ${JSON.stringify(stand)};
    const backend = makeLocalBackend(stand, {}, ${seconds});
    const handle = await backend.submit(${JSON.stringify(launch)});
    const isStarted = async () => (await backend.status([handle]))[0].statuses[0].state !== "waiting";
    await waitFor(isStarted, { what: "the start of a worker", everyMilliseconds: 1 });
    console.log("started");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout ?? child, "data");
  return child;
}

function countLines(stand: Stand, line: string): number {
  return readFileSync(stand.journal, "utf8")
    .split("\n")
    .filter((found) => found.startsWith(line)).length;
}

describe("workers outlive the controller that started them", { skip: !existsSync("/proc") }, () => {
  it("and are found again: none is started twice, and waiting ones are started", async () => {
    const pairs = ["ok1", "ok2", "ok3", "ok4"];
    const stand = newStand(pairs);
    const launch = makeLaunch(pairs);
    const controller = await submitElsewhere(stand, launch, 0.5);
    controller.kill("SIGKILL");
    await once(controller, "exit");
    const backend = makeLocalBackend(stand);
    const statuses = await watchToEnd(backend, await backend.submit(launch));
    assert.deepEqual(
      statuses.map(({ state, attempts }) => [state, attempts.length, attempts[0]?.exitCode]),
      pairs.map(() => ["succeeded", 1, 0]),
    );
    for (const pair of pairs) assert.equal(countLines(stand, `start ${pair} `), 1);
  });

  it("and are found although the kill came before the process number was written down", async () => {
    const stand = newStand(["ok1"]);
    const launch = makeLaunch(["ok1"]);
    const controller = await submitElsewhere(stand, launch, 0.5);
    controller.kill("SIGKILL");
    await once(controller, "exit");
    const path = join(stand.output, "runs", "run", "local", "0", "0.json");
    const entry = JSON.parse(readFileSync(path, "utf8"));
    const { process: _, ...attempt } = entry.attempts[0];
    writeFileSync(path, JSON.stringify({ ...entry, attempts: [attempt] }));
    const backend = makeLocalBackend(stand);
    const [status] = await watchToEnd(backend, await backend.submit(launch));
    assert.equal(status?.attempts[0]?.id, attempt.id);
    assert.equal(countLines(stand, "start ok1 "), 1);
  });

  it("unless they were killed: such a worker is lost, and can be started again", async () => {
    const stand = newStand(["ok1"]);
    const launch = makeLaunch(["ok1"]);
    const controller = await submitElsewhere(stand, launch, 30);
    controller.kill("SIGKILL");
    await once(controller, "exit");
    const [worker] = findWorkers(launch, stand);
    process.kill(-Number(worker), "SIGKILL");
    await waitFor(() => findWorkers(launch, stand).length === 0, { what: "the worker's end" });
    const backend = makeLocalBackend(stand);
    const [status] = await watchToEnd(backend, await backend.submit(launch));
    const [attempt, ...others] = status?.attempts ?? [];
    assert.deepEqual([status?.state, attempt?.reason, others], ["failed", "Lost", []]);
    const [again] = await watchToEnd(backend, await backend.submit({ ...launch, number: 1 }));
    assert.deepEqual([again?.state, again?.attempts[0]?.exitCode], ["succeeded", 0]);
  });

  it("and a status starts none", async () => {
    const stand = newStand(["ok1"]);
    const launch = makeLaunch(["ok1"]);
    const handle = { backend: "local", name: "run-0", launch } as const;
    assert.deepEqual(await statusOf(makeLocalBackend(stand), handle), [
      { index: 0, pair: "ok1", state: "waiting", attempts: [] },
    ]);
    assert.ok(!existsSync(stand.output));
  });
});

describe("a controller that was replaced", () => {
  it("starts no worker any more and cannot submit; its successor carries on with the one that runs", async () => {
    const pairs = ["ok1", "ok2", "ok3"];
    const stand = newStand(pairs);
    const launch = makeLaunch(pairs, { parallelism: 1, generation: 1 });
    const told = (line: string) => `printf '%s\\n' "${line}" >> '${stand.journal}'`;
    const command = [
      "/bin/sh",
      "-c",
      `${told("$WIDEMERGE_LAUNCH of $WIDEMERGE_GENERATION")}\n${workerScript(stand, 0.3)}`,
    ];
    const [before, after] = [makeLocalBackend(stand, { command }), makeLocalBackend(stand, { command })];
    const isFirstRunning = ([first]: readonly TaskStatus[]) => first?.state === "running";
    await watchUntil(before, await before.submit(launch, 1), isFirstRunning);
    const statuses = await watchToEnd(after, await after.submit(launch, 2));
    assert.deepEqual(
      statuses.map(({ state, attempts }) => [state, attempts.length]),
      pairs.map(() => ["succeeded", 1]),
    );
    assert.deepEqual([countLines(stand, "0 of 1"), countLines(stand, "0 of 2")], [1, 2]);
    for (const pair of pairs) assert.equal(countLines(stand, `start ${pair} `), 1);
    const refused = await failureOf(makeLocalBackend(stand).submit(launch, 1));
    assert.equal(refused.exitCode, ExitCode.superseded);
    assert.match(refused.message, /another controller carries out launch 0 of run run/);
  });
});

describe("memory of this machine", () => {
  it("the ceilings of running workers fit into it", async () => {
    const pairs = Array.from({ length: 6 }, (_, index) => `ok${index}`);
    const stand = newStand(pairs);
    const backend = makeLocalBackend(stand, { budgetBytes: 5 * GiB }, 0.05);
    const handle = await backend.submit(makeLaunch(pairs, { ceilingBytes: 2 * GiB, parallelism: 6 }));
    let most = 0;
    await watchUntil(backend, handle, allOver, {
      onLook: (statuses) => {
        most = Math.max(most, statuses.filter(({ state }) => state === "running").length);
      },
    });
    assert.equal(most, 2);
  });

  it("the ceilings of several launches fit into it; waiting workers start when memory is free", async () => {
    const stand = newStand(["ok1", "stay1"]);
    const backend = makeLocalBackend(stand, { budgetBytes: 5 * GiB });
    const first = await backend.submit(makeLaunch(["stay1"], { ceilingBytes: 3 * GiB }));
    await watchUntil(backend, first, ([status]) => status?.state === "running");
    const second = await backend.submit(makeLaunch(["ok1"], { number: 1, ceilingBytes: 3 * GiB }));
    await backend.wait([second], new AbortController().signal);
    await backend.status([second]);
    await backend.wait([second], AbortSignal.timeout(200));
    assert.equal((await statusOf(backend, second))[0]?.state, "waiting");
    await backend.cancel(first);
    assert.equal((await watchToEnd(backend, second))[0]?.state, "succeeded");
  });

  it("a ceiling above all of it is refused, with advice", async () => {
    const backend = makeLocalBackend(newStand(), { budgetBytes: GiB });
    const refused = await failureOf(backend.submit(makeLaunch(["ok1"], { ceilingBytes: 2 * GiB })));
    assert.equal(refused.exitCode, ExitCode.usage);
    assert.match(refused.message, /found ceiling 2.00 GiB, memory 1.00 GiB; lower --memory-ceiling/);
  });
});

it("the number of a launch cannot be used for another one", async () => {
  const stand = newStand(["ok1"]);
  const backend = makeLocalBackend(stand);
  await watchToEnd(backend, await backend.submit(makeLaunch(["ok1"])));
  const refused = await failureOf(makeLocalBackend(stand).submit(makeLaunch(["ok2"])));
  assert.match(refused.message, /launch 0 of run run was started with other pairs/);
});

it("a worker that cannot be started is a failure of its pair", async () => {
  const backend = makeLocalBackend(newStand(), { command: [join(folder, "missing")] });
  const [status] = await watchToEnd(backend, await backend.submit(makeLaunch(["ok1"])));
  assert.equal(status?.state, "failed");
  assert.match(status?.attempts[0]?.message ?? "", /ENOENT/);
});

it("a process is another one when its number is used again", () => {
  const self = identify(process.pid);
  assert.ok(self !== undefined && isRunning(self));
  if (self.start !== undefined) assert.ok(!isRunning({ ...self, start: "1" }));
  assert.equal(identify(2 ** 22 + 1), undefined);
});
