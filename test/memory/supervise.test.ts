import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readProcess } from "../../src/memory/process.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { runChild, startChild, textOf, waitForNote } from "./start.ts";

const mebibyte = 2 ** 20;
/** So rare that only prlimit or an event of the child can act. */
const unsampled = { sampleEveryMs: 600_000 };

describe("a child that behaves", () => {
  it("ends with its report, the threads of the quota, and a measured baseline", async () => {
    const env = { ...process.env };
    delete env.POLARS_MAX_THREADS;
    const { end, events, supervision } = await runChild("report", { env });
    assert.equal(end.exitCode, ExitCode.done);
    assert.deepEqual(end.problems, []);
    assert.equal(end.report?.command, "plan");
    const [threads, baseline] = events.flatMap((event) =>
      event.type === "progress" ? [event.bytesDone, event.bytesTotal] : [],
    );
    assert.ok(threads !== undefined && threads >= 1);
    assert.ok(baseline !== undefined && baseline > 30 * mebibyte);
    assert.ok(supervision.memory().peakBytes >= baseline);
  });

  it("keeps the number of Polars threads that the user set", async () => {
    const { events } = await runChild("report", { env: { ...process.env, POLARS_MAX_THREADS: "3" } });
    assert.ok(events.some((event) => event.type === "progress" && event.bytesDone === 3));
  });

  it("is not refused memory for ordinary work of Polars on 8 threads under 512 MiB", async () => {
    const { end } = await runChild("polarsWork", { env: { ...process.env, POLARS_MAX_THREADS: "8" } });
    assert.equal(end.exitCode, ExitCode.done, textOf(end));
  });

  it("goes without a data limit where there is no prlimit, and says so", async () => {
    const path = process.env.PATH;
    process.env.PATH = "";
    try {
      const { end, notices } = await runChild("report");
      assert.equal(end.exitCode, ExitCode.done);
      assert.equal(notices.length, 1);
      assert.match(notices[0] ?? "", /prlimit/);
    } finally {
      process.env.PATH = path;
    }
  });
});

describe("a child that needs too much", () => {
  for (const act of ["grow", "growFrames"]) {
    it(`is warned, then stopped (${act})`, async () => {
      const { end, levels, events } = await runChild(act);
      assert.equal(end.exitCode, ExitCode.memory);
      assert.match(textOf(end), /memory ceiling was reached.*last samples/);
      assert.equal(end.memory.warnings, 1);
      assert.ok(levels.includes("warn"), levels.join(" "));
      assert.ok(events.some((event) => event.type === "failure" && event.exitCode === ExitCode.memory));
      assert.ok(end.memory.peakBytes >= 0.97 * 512 * mebibyte);
    });
  }

  it("is warned once for each crossing, and ends well when it gives memory back", async () => {
    const { end } = await runChild("swing");
    assert.equal(end.exitCode, ExitCode.done, textOf(end));
    assert.equal(end.memory.warnings, 2);
  });

  it("is killed after the grace when it does not end", async () => {
    const { end, events } = await runChild("stubborn", { graceMs: 200 });
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(textOf(end), /memory ceiling was reached/);
    assert.deepEqual(events, []);
  });

  it("is killed at once above the ceiling", async () => {
    const { end, levels } = await runChild("deaf", { graceMs: 600_000 });
    assert.equal(end.exitCode, ExitCode.memory);
    assert.ok(levels.includes("over"), levels.join(" "));
  });

  it("is refused memory by the kernel between two samples: Polars", async () => {
    const { end, stderr } = await runChild("polarsAbort", unsampled);
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(stderr(), /memory allocation of \d+ bytes failed/);
    assert.match(textOf(end), /Polars was refused memory.*memory allocation of \d+ bytes failed.*peak/);
  });

  it("is refused memory by the kernel between two samples: Buffers", async () => {
    const { end, events } = await runChild("bufferRefused", unsampled);
    // 400 MiB fit under the ceiling; 720 MiB would be beyond it and its headroom.
    assert.ok(events.some((event) => event.type === "progress" && event.bytesDone === 400));
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(textOf(end), /Node was refused memory.*Array buffer allocation failed/);
  });

  it("runs out of V8's own heap", async () => {
    const { end } = await runChild("heapFull", { execArgv: ["--no-warnings", "--max-old-space-size=48"] });
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(textOf(end), /V8 was refused memory.*heap/i);
  });

  it("is reported with a spike that no sample saw", async () => {
    const { end } = await runChild("spike", unsampled, 2048);
    assert.equal(end.exitCode, ExitCode.done, textOf(end));
    assert.ok(end.memory.peakBytes > 400 * mebibyte, `peak ${end.memory.peakBytes}`);
    assert.ok(end.memory.samples.every((sample) => sample.bytes < 400 * mebibyte));
  });
});

describe("a child that ends otherwise", () => {
  it("is killed from outside", async () => {
    const started = startChild("sleep");
    const { bytesDone: pid } = await waitForNote(started);
    process.kill(pid, "SIGKILL");
    const end = await started.supervision.ended;
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(textOf(end), /killed from outside.*SIGKILL/);
  });

  it("ends without a report", async () => {
    const { end } = await runChild("silent");
    assert.equal(end.exitCode, ExitCode.unexpected);
    assert.match(textOf(end), /exit code 0 without a report/);
  });

  it("ends with a code and a text of its own", async () => {
    const { end, stderr } = await runChild("exit7");
    assert.equal(end.exitCode, ExitCode.unexpected);
    assert.match(textOf(end), /exit code 7; last words: something broke/);
    assert.equal(stderr(), "something broke\n");
  });

  it("cannot be started", async () => {
    const { end } = await runChild("report", { modulePath: "/nonexistent/module.js" });
    assert.equal(end.exitCode, ExitCode.unexpected);
    assert.match(textOf(end), /Cannot find module/);
  });

  for (const code of [ExitCode.interrupted, ExitCode.terminated]) {
    it(`is interrupted with ${code}`, async () => {
      const started = startChild("sleep");
      await waitForNote(started);
      started.supervision.interrupt(code);
      assert.equal((await started.supervision.ended).exitCode, code);
    });
  }

  it("is killed after the grace when it ignores an interrupt", async () => {
    const started = startChild("deaf", { graceMs: 50 }, 20_000);
    started.supervision.interrupt(ExitCode.terminated);
    const end = await started.supervision.ended;
    assert.equal(end.exitCode, ExitCode.terminated);
    assert.match(textOf(end), /SIGTERM/);
  });
});

it("a child that is busy in one long call dies with its supervisor", async (context) => {
  const script = fileURLToPath(new URL("orphan.ts", import.meta.url));
  const supervisor = spawn(process.execPath, ["--no-warnings", script], { stdio: ["ignore", "pipe", "inherit"] });
  const { value: chunk } = await supervisor.stdout[Symbol.asyncIterator]().next();
  const { pid, bound } = JSON.parse(String(chunk));
  if (!bound) context.skip("no setpriv here: the child ends when it hears that the channel is closed");
  supervisor.kill("SIGKILL");
  await once(supervisor, "exit");
  for (let round = 0; bound && readProcess(pid) !== undefined && round < 500; round += 1) await sleep(10);
  assert.equal(bound ? readProcess(pid) : undefined, undefined);
});
