/** `widemerge run-all --backend kubernetes` as a person starts it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { nameOutputs } from "../../src/model/output-names.ts";
import { waitFor } from "../support/wait.ts";
import { Field, image, whySkipped } from "./support.ts";

const skip = whySkipped();
const field = new Field("run-all");
const cli = new URL("../../src/cli.ts", import.meta.url).pathname;

function runAll(run: string, pairs: readonly string[], ...flags: readonly string[]): ChildProcess {
  const places = ["--input", field.input, "--output", field.output, "--volume-claim", `data:${field.folder}`];
  const pods = ["--namespace", field.namespace, "--image", image, "--image-pull-policy", "Never", "--cpu", "0.5"];
  const what = ["run-all", "--backend", "kubernetes", "--run", run, "--pairs", pairs.join(",")];
  const args = ["--no-warnings", cli, ...what, ...places, ...pods, "--no-sync", ...flags];
  // The pods have a user of their own, who must be able to write beside what the controller writes.
  const open = ["-c", 'umask 0 && exec "$@"', "sh", process.execPath, ...args];
  return spawn("sh", open, { stdio: ["ignore", "pipe", "pipe"] });
}

async function endOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => parts.push(String(part)));
  const [code] = await once(child, "close");
  return { code, text: parts.join("") };
}

function records(run: string, pair: string): readonly string[] {
  const folder = join(field.output, "runs", run, "results", pair);
  return existsSync(folder) ? readdirSync(folder) : [];
}

function assertDone(pairs: readonly string[]): void {
  for (const pair of pairs)
    for (const name of Object.values(nameOutputs(pair))) assert.ok(existsSync(join(field.output, name)), name);
}

describe("run-all on Kubernetes", { skip, timeout: 600_000 }, () => {
  const interrupted = ["gbpusd", "usdjpy", "usdchf", "audusd", "usdcad", "nzdusd"];
  const hungry = ["eurgbp", "eurjpy"];
  before(() => {
    field.open();
    field.sample([...interrupted, ...hungry], "--tables", "5");
  });
  after(() => field.close());

  test("a controller that is killed in the middle is started again: all is done, nothing twice", async () => {
    const flags = ["--memory-ceiling", "512MiB", "--parallelism", "2"];
    const first = runAll("killed", interrupted, ...flags);
    const ended = endOf(first);
    const isInTheMiddle = async (): Promise<boolean> => {
      assert.equal(first.exitCode, null, first.exitCode === null ? "" : (await ended).text);
      return interrupted.some((pair) => records("killed", pair).length > 0);
    };
    await waitFor(isInTheMiddle, { what: "the first record of a pair", seconds: 180, everyMilliseconds: 100 });
    first.kill("SIGKILL");
    await ended;
    const { code, text } = await endOf(runAll("killed", interrupted, ...flags));
    assert.equal(code, 0, text);
    assertDone(interrupted);
    for (const pair of interrupted) assert.equal(records("killed", pair).length, 1, pair);
    assert.equal(field.kubectl("get", "jobs", "-l", "widemerge/run=killed", "-o", "name").trim().split("\n").length, 1);
  });

  test("pairs that the kernel kills for their memory are started once more, with more of it", async () => {
    const { code, text } = await endOf(
      runAll("hungry", hungry, "--memory-ceiling", "16MiB", "--memory-ceilings", "512MiB"),
    );
    assert.equal(code, 0, text);
    assertDone(hungry);
    const limits =
      "{range .items[*]}{.spec.template.spec.containers[0].resources.limits.memory} {.status.failedIndexes}{end}";
    const jobs = field.kubectl("get", "jobs", "-l", "widemerge/run=hungry", "-o", `jsonpath=${limits}`);
    assert.match(jobs, /16Mi 0,1\s*512Mi/);
  });
});
