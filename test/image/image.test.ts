/** The image as it is started: under a memory limit, with a read-only root, as a user without rights. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import packageJson from "../../package.json" with { type: "json" };
import { nameOutputs } from "../../src/model/output-names.ts";
import { Bench, whySkipped } from "./support.ts";

const skip = whySkipped();
const pair = "audusd";
const places = ["--input", "checkpoints", "--output"];

describe("the image", { skip, timeout: 300_000 }, () => {
  const bench = new Bench();
  before(() => {
    bench.output("checkpoints");
    const sample = bench.run([], "sample", "--out", "checkpoints", "--pairs", `${pair},gbpusd`, "--tables", "12");
    assert.equal(sample.code, 0, sample.stderr);
  });
  after(() => bench.remove());

  function merge(output: string, ...flags: readonly string[]): ReturnType<Bench["run"]> {
    return bench.run(flags, "merge", pair, ...places, bench.output(output));
  }

  test("merges a pair inside a limit of 256 MiB, as its own user", () => {
    const { code, stdout, stderr } = merge("limited", "--memory", "256m");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /13 tables: 13 spliced.* of 256 MiB/);
    assert.doesNotMatch(stderr, /prlimit/, "the kernel holds the worker, too");
    assert.equal(statSync(bench.path("limited", nameOutputs(pair).output)).uid, 65532);
    const verified = bench.run([], "verify", pair, "--level", "full", ...places, "limited");
    assert.equal(verified.code, 0, verified.stderr);
  });

  test("docker run as docs/recipes.md shows it", () => {
    const recipes = readFileSync(new URL("../../docs/recipes.md", import.meta.url), "utf8");
    const command = /^```\n(docker run .*?)^```$/ms.exec(recipes)?.[1];
    assert.ok(command, "the recipe is there");
    bench.output("training");
    const { code, stdout, stderr } = bench.shell(command);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /13 tables: .* of 2\.00 GiB/);
    assert.ok(existsSync(bench.path("training", nameOutputs(pair).manifest)));
  });

  test("runs as a user that nobody knows", () => {
    const { code, stderr } = merge("stranger", "--user", "1234567:0", "--memory", "256m");
    assert.equal(code, 0, stderr);
    assert.equal(statSync(bench.path("stranger", nameOutputs(pair).output)).uid, 1234567);
  });

  test("a limit that the plan does not fit under is refused with exit 4 and the limit that would do", () => {
    const { code, stdout, stderr } = merge("refused", "--memory", "100m");
    assert.equal(code, 4);
    assert.match(stdout + stderr, /ceiling 100 MiB; use --memory-ceiling \d+MiB or more/);
    assert.deepEqual(readdirSync(bench.path("refused")), []);
  });

  test("the limit is real: what takes more is killed by the kernel, exit 137", () => {
    const take = "const taken = []; for (;;) taken.push(Buffer.alloc(2 ** 20, 1))";
    assert.equal(
      bench.run(["--memory", "200m", "--memory-swap", "200m", "--entrypoint", "node"], "-e", take).code,
      137,
    );
    assert.equal(merge("tiny", "--memory", "40m", "--memory-swap", "40m").code, 137, "too small for Node itself");
    assert.deepEqual(readdirSync(bench.path("tiny")), []);
  });

  // A tenth of a CPU: the program is still being loaded when the signal comes.
  for (const [role, ...args] of [
    ["worker", "merge", pair],
    ["controller", "run-all", "--run", "stopped", "--pairs", `${pair},gbpusd`],
  ] as const)
    test(`a ${role} that is told to stop while it starts does so at once, exit 143`, async () => {
      const name = `widemerge-${role}-${process.pid}`;
      bench.start(name, ["--cpus", "0.1"], ...args, ...places, bench.output(`stopped-${role}`));
      await sleep(1000);
      bench.call("kill", "--signal", "TERM", name);
      const { stdout } = bench.call("wait", name);
      bench.call("rm", "--force", name);
      assert.equal(stdout.trim(), "143");
      assert.equal(existsSync(bench.path(`stopped-${role}`, nameOutputs(pair).manifest)), false);
    });

  test("is a controller as well: two pairs, and a report with its charts", () => {
    const what = ["run-all", "--run", "all", "--pairs", `${pair},gbpusd`, ...places, bench.output("all")];
    const { code, stderr } = bench.run([], ...what);
    assert.equal(code, 0, stderr);
    assert.match(readFileSync(bench.path("all/runs/all/report.html"), "utf8"), /<svg/);
  });

  test("--help and --version end well", () => {
    assert.equal(bench.run([], "--help").code, 0);
    assert.equal(bench.run([], "--version").stdout.trim(), packageJson.version);
  });
});
