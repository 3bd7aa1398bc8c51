import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { readLimits } from "../../src/memory/limits.ts";
import { listTree, readProcess } from "../../src/memory/process.ts";
import { createSampler } from "../../src/memory/sample.ts";
import { makeTree } from "./tree.ts";

const mebibyte = 2 ** 20;
const limits = { ...readLimits(), source: "none" } as const;
const { limitDir: _, ...unlimited } = limits;
const onLinux = { skip: process.platform === "linux" ? false : "needs /proc" };

/** /proc/<pid>/status of a process. */
function status(rss: number, peak: number, file: number): string {
  const lines = { VmHWM: peak, VmRSS: rss, RssFile: file, VmData: 0 };
  return Object.entries(lines)
    .map(([name, mebibytes]) => `${name}:\t${mebibytes * 1024} kB\n`)
    .join("");
}

describe("resident sets", onLinux, () => {
  it("counts the child and what it started", async () => {
    const script =
      "const c = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6); console.log(1)'], { stdio: 'inherit' })";
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(child.stdout, "data");
      const pid = child.pid ?? 0;
      const tree = listTree(pid);
      assert.equal(tree.length, 2);
      const sum = createSampler(unlimited, pid).sample() - createSampler(unlimited).sample();
      const each = tree.map((one) => readProcess(one)?.rssBytes ?? 0);
      assert.ok(Math.min(...each) > 20 * mebibyte);
      assert.ok(sum > each.reduce((left, right) => left + right) - 20 * mebibyte);
      for (const one of tree) process.kill(one, "SIGKILL");
    } finally {
      child.kill("SIGKILL");
    }
    await once(child, "close");
  });

  it("adds a child's mark to the smallest supervisor, and takes file pages off only in a group", (context) => {
    const root = makeTree(context, {
      "proc/self/status": status(50, 60, 40),
      "proc/77/status": status(100, 900, 30),
      "proc/77/task/77/children": "",
      "group/memory.current": String(110 * mebibyte),
    });
    const free = createSampler({ ...unlimited, root }, 77);
    assert.equal(free.sample(), 150 * mebibyte);
    assert.equal(free.peakBytes(), (900 + 50) * mebibyte);
    const cgroup = { version: 2, dir: `${root}/group`, mount: root } as const;
    const held = createSampler({ ...limits, source: "cgroup2", root, cgroup, limitDir: cgroup.dir }, 77);
    assert.equal(held.sample(), 110 * mebibyte);
    assert.equal(held.peakBytes(), (900 - 30 + 50 - 40) * mebibyte);
  });

  it("is not disturbed by a child that has ended", () => {
    const sampler = createSampler(unlimited, 2 ** 22 + 1);
    assert.ok(sampler.sample() > 20 * mebibyte);
  });
});

it("asks ps where there is no /proc", async (context) => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1e6); console.log(1)"]);
  context.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const root = makeTree(context, {});
  const both = createSampler({ ...unlimited, root }, child.pid).sample();
  const alone = createSampler({ ...unlimited, root }).sample();
  assert.ok(both - alone > 20 * mebibyte, `${both} - ${alone}`);
});
