/** What a run's record remembers, so that no later command needs the settings again. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import * as v from "valibot";
import { Report } from "../../src/model/report.ts";
import { runCli } from "../faults/support.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("run-record");
const input = join(folder, "in");
const at = (output: string, ...args: string[]) => runCli([...args, "--output", output]);

before(async () => {
  const { exitCode } = await runCli(["sample", "--out", input, "--pairs", "audusd", "--tables", "3", "--rows", "50"]);
  assert.equal(exitCode, 0);
  rmSync(join(input, "audusd", "_COMPLETE"));
});

describe("a run without markers", { concurrency: 1 }, () => {
  const output = join(folder, "out");
  const start = ["run-all", "--input", input, "--memory-ceiling", "1GiB"];

  it("is done for status and report as well, first by its worker and then from before", async () => {
    for (const state of ["done", "done before"]) {
      const run = await at(output, ...start, "--no-require-marker");
      assert.equal(run.exitCode, 0, run.stderr);
      assert.match(run.stdout, new RegExp(`: 1 pair: 1 ${state}\\n`));
      const status = await at(output, "status");
      assert.match(status.stdout, new RegExp(`: 1 pair: 1 ${state}\\n`));
      assert.equal(status.exitCode, 0);
      const report = await at(output, "report");
      assert.match(report.stdout, new RegExp(`: 1 pair: 1 ${state}\\n`));
      const [html = ""] = report.stdout.match(/\S+report\.html/) ?? [];
      assert.doesNotMatch(readFileSync(html, "utf8"), /never started|Failures/);
    }
  });

  it("is continued by its name alone, and refuses another setting by its name", async () => {
    const again = await at(output, ...start.filter((arg) => arg !== "--input" && arg !== input), "--run", "last");
    assert.equal(again.exitCode, 0, again.stderr);
    assert.match(again.stdout, /: 1 pair: 1 done before\n/);
    const other = await at(output, ...start, "--run", "last", "--expect-tables", "7");
    assert.equal(other.exitCode, 2);
    assert.match(other.stderr, /has different expectTables.*nothing in the run, 7 requested/);
  });

  it("whose controller is on another machine is unknown to status and cancel after one look", async () => {
    const run =
      readdirSync(join(output, "runs"))
        .filter((name) => !name.endsWith(".json"))
        .sort()
        .at(-1) ?? "";
    const [path, lease] = ["run.json", "lease.json"].map((name) => join(output, "runs", run, name)) as [string, string];
    const text = readFileSync(path, "utf8");
    const { finished: _, ...open } = JSON.parse(text);
    writeFileSync(path, JSON.stringify(open));
    assert.match((await at(output, "status")).stdout, /no controller has the run: continue it with/);
    const holder = { owner: "far-1-1-aa", host: "far", pid: 7, since: "2031-01-01T00:00:00.000Z" };
    writeFileSync(lease, JSON.stringify({ format: 1, ...holder, heartbeat: "2031-01-01T00:00:00.000Z" }));
    const status = await at(output, "status");
    assert.match(status.stdout, /unknown whether the controller lives: process 7 on far, since 2031-/);
    assert.equal(status.exitCode, 0);
    const { stdout } = await at(output, "status", "--json");
    assert.equal(v.parse(Report, JSON.parse(stdout)).controller, "unknown");
    const cancelled = await at(output, "cancel");
    assert.match(
      cancelled.stdout,
      /cancellation is requested, and it is unknown whether its controller lives \(process 7 on far/,
    );
    assert.equal(cancelled.exitCode, 75);
    assert.ok(existsSync(join(output, "runs", run, "cancel.json")));
    rmSync(join(output, "runs", run, "cancel.json"));
    rmSync(lease);
    writeFileSync(path, text);
  });

  it("that is over has nothing to cancel", async () => {
    const before = await at(output, "status");
    const { stdout, exitCode } = await at(output, "cancel");
    assert.match(stdout, /^run \S+ is already over, nothing to cancel\n$/);
    assert.equal(exitCode, 0);
    assert.equal((await at(output, "status")).stdout, before.stdout);
  });
});

describe("a run that this machine cannot carry out", { concurrency: 1 }, () => {
  const output = join(folder, "refused");

  it("is refused before it exists, and does not touch the next one", async () => {
    const start = ["run-all", "--input", input, "--no-require-marker"];
    const refused = await at(output, ...start, "--memory-ceiling", "5000GiB");
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /memory ceiling of a worker exceeds the memory of this machine/);
    assert.match(refused.stderr, /ceiling 4.88 TiB, .* --memory-ceiling auto --memory-free 0 .*profiles\/example.yaml/);
    assert.equal(existsSync(join(output, "runs")), false);
    const run = await at(output, ...start, "--memory-ceiling", "1GiB");
    assert.equal(run.exitCode, 0, run.stderr);
    assert.doesNotMatch(run.stderr, /continuing/);
  });

  it("is not continued where an earlier version left it open", async () => {
    const { stdout } = await at(output, "status", "--json");
    const [, run = ""] = /"run":"([^"]+)"/.exec(stdout) ?? [];
    const path = join(output, "runs", run, "run.json");
    const { finished: _, policy: __, ...record } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...record, handles: [] }));
    const again = await at(output, "run-all", "--input", input, "--no-require-marker", "--memory-ceiling", "1GiB");
    assert.equal(again.exitCode, 0, again.stderr);
    assert.ok(!again.stdout.startsWith(`run ${run} `), again.stdout);
  });
});
