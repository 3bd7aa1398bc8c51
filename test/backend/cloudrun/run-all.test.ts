/** `widemerge run-all --backend cloudrun` as a person starts it, against a test double of the service. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { nameOutputs } from "../../../src/model/output-names.ts";
import { CloudRunDouble } from "../../support/cloudrun-double.ts";
import { scratchFolder } from "../../support/folder.ts";
import { waitFor } from "../../support/wait.ts";

const folder = await scratchFolder("cloudrun-run-all");
const cli = new URL("../../../src/cli.ts", import.meta.url).pathname;
const node = [process.execPath, "--no-warnings", cli] as const;
const skip = existsSync("/usr/bin/prlimit") ? false : "needs prlimit";
const pairs = ["gbpusd", "usdjpy", "usdchf", "audusd"];
const input = join(folder, "checkpoints");

interface End {
  readonly code: number | null;
  readonly text: string;
}

async function endOf(child: ChildProcess): Promise<End> {
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => parts.push(String(part)));
  const [code] = await once(child, "close");
  return { code, text: parts.join("") };
}

describe("run-all on Cloud Run", { skip, timeout: 300_000 }, () => {
  const doubles: CloudRunDouble[] = [];
  let output = "";
  let double: CloudRunDouble;

  before(() => {
    execFileSync(node[0], [...node.slice(1), "sample", "--out", input, "--pairs", pairs.join(","), "--tables", "4"]);
  });
  after(() => Promise.all(doubles.map((one) => one.close())));

  async function open(): Promise<void> {
    output = mkdtempSync(join(folder, "training-"));
    double = await new CloudRunDouble({ command: node }).open();
    doubles.push(double);
  }

  function runAll(run: string, ...flags: readonly string[]): ChildProcess {
    const where = ["--project", "fx-features", "--region", "us-central1", "--image", "example/widemerge:1"];
    const what = ["--run", run, "--pairs", pairs.join(","), "--input", input, "--output", output, "--no-sync"];
    const args = [
      "run-all",
      "--backend",
      "cloudrun",
      "--cloud-run-endpoint",
      double.endpoint,
      ...where,
      ...what,
      ...flags,
    ];
    return spawn(node[0], [...node.slice(1), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  }

  function readRun(run: string, name: string) {
    return JSON.parse(readFileSync(join(output, "runs", run, name), "utf8"));
  }

  const countRecords = (run: string, pair: string): number => {
    const place = join(output, "runs", run, "results", pair);
    return existsSync(place) ? readdirSync(place).length : 0;
  };

  /** Waits until a pair of a run is done while its controller is at work. */
  async function waitForRecord(run: string, controller: ChildProcess, ended: ReturnType<typeof endOf>): Promise<void> {
    const look = async (): Promise<boolean> => {
      assert.equal(controller.exitCode, null, controller.exitCode === null ? "" : (await ended).text);
      return pairs.some((pair) => countRecords(run, pair) > 0);
    };
    await waitFor(look, { what: "the first record of a pair", everyMilliseconds: 50 });
  }

  it("merges every pair, costs them by their tasks, and ends", async () => {
    await open();
    const { code, text } = await endOf(runAll("plain", "--memory-ceiling", "1GiB", "--parallelism", "2"));
    assert.equal(code, 0, text);
    for (const pair of pairs) assert.ok(existsSync(join(output, nameOutputs(pair).manifest)), pair);
    assert.match(text, /Cloud Run/i);
    const cost = readRun("plain", "costs/audusd.json");
    assert.ok(cost.estimated.usd > 0, JSON.stringify(cost));
  });

  it("a controller that is killed in the middle is started again: all is done, nothing twice", async () => {
    await open();
    const flags = ["--memory-ceiling", "1GiB", "--parallelism", "1"];
    const first = runAll("killed", ...flags);
    const ended = endOf(first);
    await waitForRecord("killed", first, ended);
    first.kill("SIGKILL");
    await ended;
    const { code, text } = await endOf(runAll("killed", ...flags));
    assert.equal(code, 0, text);
    for (const pair of pairs) assert.equal(countRecords("killed", pair), 1, pair);
    assert.equal(double.executions.size, 1);
  });

  it("what ran out of memory is started again by a launch with more of it", async () => {
    await open();
    const { code, text } = await endOf(runAll("hungry", "--memory-ceiling", "100MiB", "--memory-ceilings", "1GiB"));
    assert.equal(code, 0, text);
    assert.deepEqual(
      pairs.map((pair) => countRecords("hungry", pair)),
      [2, 2, 2, 2],
    );
    const tasks = [...double.jobs.values()].flatMap(({ template, labels }) =>
      Array<readonly unknown[]>(template?.taskCount ?? 0).fill([
        labels?.["widemerge-launch"] === "0",
        template?.template?.containers?.[0]?.resources?.limits?.memory,
      ]),
    );
    // How many launches retry the four pairs depends on when each of them was seen to fail.
    assert.deepEqual(tasks, [...Array(4).fill([true, "512Mi"]), ...Array(4).fill([false, "1024Mi"])]);
  });

  it("one SIGTERM leaves the tasks at work; the next controller goes on with them, nothing twice", async () => {
    await open();
    const flags = ["--memory-ceiling", "1GiB", "--parallelism", "1"];
    const first = runAll("left", ...flags);
    const ended = endOf(first);
    await waitForRecord("left", first, ended);
    first.kill("SIGTERM");
    const { code, text } = await ended;
    assert.equal(code, 143, text);
    assert.match(text, /SIGTERM: exits with \d pairs? running and \d waiting\. Continue with --run left, or end/);
    assert.deepEqual([double.jobs.size, existsSync(join(output, "runs", "left", "lease.json"))], [1, false]);
    assert.ok(!existsSync(join(output, nameOutputs("audusd").manifest)), "it left in the middle");
    const next = await endOf(runAll("left", ...flags));
    assert.equal(next.code, 0, next.text);
    for (const pair of pairs) assert.equal(countRecords("left", pair), 1, pair);
    assert.equal(double.executions.size, 1);
  });

  it("one SIGINT stops the tasks, deletes the job and keeps how far they were", async () => {
    await open();
    const controller = runAll("stopped", "--memory-ceiling", "1GiB", "--parallelism", "1");
    const ended = endOf(controller);
    await waitFor(() => double.executions.size > 0, { what: "an execution" });
    controller.kill("SIGINT");
    const { code, text } = await ended;
    assert.equal(code, 130, text);
    assert.equal(double.jobs.size, 0);
    const states = readRun("stopped", "launches/0.json").statuses.map(({ state }: { state: string }) => state);
    assert.ok(
      states.includes("cancelled") && !states.includes("running") && !states.includes("waiting"),
      states.join(),
    );
  });

  it("the ceiling of the 27 pairs' profile does not fit: refused, with what the plan needs", async () => {
    await open();
    const { code, text } = await endOf(runAll("large", "--memory-ceiling", "50GiB"));
    assert.equal(code, 2, text);
    assert.match(
      text,
      /at most 32\.0 GiB of memory: found a ceiling of 50\.0 GiB; this plan needs \d+ MiB; set --memory-ceiling to 2GiB/,
    );
    assert.deepEqual(double.calls, []);
  });

  it("a pair that is refused is started once, however many tries there are for what may pass", async () => {
    await open();
    rmSync(join(input, "gbpusd", "_COMPLETE"));
    const { code, text } = await endOf(runAll("refused", "--memory-ceiling", "1GiB", "--retries", "5"));
    assert.equal(code, 3, text);
    assert.equal(countRecords("refused", "gbpusd"), 1);
    assert.equal(double.executions.size, 1);
    for (const pair of pairs.slice(1)) assert.ok(existsSync(join(output, nameOutputs(pair).manifest)), pair);
  });
});
