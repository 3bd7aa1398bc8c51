/** The guard inside a real control group with a real limit: made below the own group, and removed afterwards. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rmdirSync } from "node:fs";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Limits } from "../../src/memory/limits.ts";
import type { ChildEnd } from "../../src/memory/supervise.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { enterGroup, makeGroup } from "../support/control-group.ts";
import { textOf } from "./start.ts";

const mebibyte = 2 ** 20;
const limitBytes = 300 * mebibyte;
const group = makeGroup(limitBytes);

describe("in a control group of 300 MiB", { skip: "dir" in group ? false : group.reason }, () => {
  const dir = "dir" in group ? group.dir : "";
  after(() => rmdirSync(dir));

  it("reads the limit and what is free under it", async () => {
    const { limits, end } = await runInside(dir, "report");
    assert.notEqual(limits.source, "none");
    assert.equal(limits.memoryLimitBytes, limitBytes);
    assert.ok(limits.memoryAvailableBytes < limitBytes && limits.memoryAvailableBytes > limitBytes / 2);
    assert.equal(end.exitCode, ExitCode.done, textOf(end));
    assert.equal(end.memory.source, limits.source);
  });

  it("stops the child before the kernel does", async () => {
    const { end } = await runInside(dir, "grow");
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(textOf(end), /memory ceiling was reached/);
  });

  it("takes no file cache for memory in use", async () => {
    const { end } = await runInside(dir, "rereadFile");
    assert.equal(end.exitCode, ExitCode.done, textOf(end));
    assert.equal(end.memory.warnings, 0);
    assert.ok(end.memory.samples.length > 3);
  });

  it("tells a real out-of-memory kill", async () => {
    const { end } = await runInside(dir, "runaway", 600_000);
    assert.equal(end.exitCode, ExitCode.memory);
    assert.match(textOf(end), /kernel's out-of-memory killer.*rose by 1/);
  });
});

async function runInside(dir: string, act: string, everyMs = 100): Promise<{ limits: Limits; end: ChildEnd }> {
  const script = fileURLToPath(new URL("inside.ts", import.meta.url));
  const [shell = "", ...entry] = enterGroup(dir);
  const args = [...entry, process.execPath, "--no-warnings", script, act, String(everyMs)];
  const { stdout } = await promisify(execFile)(shell, args);
  return JSON.parse(stdout);
}
