import assert from "node:assert/strict";
import { freemem, totalmem } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readOomKills } from "../../src/memory/cgroup.ts";
import { type Limits, leaveOutGroups, readLimits } from "../../src/memory/limits.ts";
import { makeTree } from "./tree.ts";

const gibibyte = 2 ** 30;
const mebibyte = 2 ** 20;
const meminfo = { "proc/meminfo": "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:   12582912 kB\n" };
const unified = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const none = "9223372036854771712\n";

function read(context: TestContext, files: Readonly<Record<string, string>>, parallelism = 16): Limits {
  return readLimits({ root: makeTree(context, { ...meminfo, ...files }), parallelism });
}

/** Files of a v2 group. */
function group2(dir: string, max: string, usedMebibytes: number, cpu = "max 100000"): Record<string, string> {
  return {
    [`${dir}/memory.max`]: `${max}\n`,
    [`${dir}/memory.current`]: `${(usedMebibytes + 300) * mebibyte}\n`,
    [`${dir}/memory.stat`]: `anon 5\ninactive_file ${100 * mebibyte}\nactive_file ${200 * mebibyte}\n`,
    [`${dir}/memory.events`]: "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n",
    [`${dir}/cpu.max`]: `${cpu}\n`,
  };
}

/** Files of a v1 group for memory. */
function group1(dir: string, limit: string, usedMebibytes: number): Record<string, string> {
  return {
    [`${dir}/memory.limit_in_bytes`]: limit,
    [`${dir}/memory.usage_in_bytes`]: `${(usedMebibytes + 300) * mebibyte}\n`,
    [`${dir}/memory.stat`]: `inactive_file 1\ntotal_inactive_file ${100 * mebibyte}\ntotal_active_file ${200 * mebibyte}\n`,
    [`${dir}/memory.oom_control`]: "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
  };
}

describe("cgroup v2", () => {
  it("finds the own group, its limit, working set, CPU quota and kills", (context) => {
    const limits = read(context, {
      "proc/self/cgroup": "0::/app\n",
      "proc/self/mountinfo": unified,
      ...group2("sys/fs/cgroup/app", String(4 * gibibyte), 1024, "250000 100000"),
    });
    assert.equal(limits.source, "cgroup2");
    assert.equal(limits.memoryLimitBytes, 4 * gibibyte);
    assert.equal(limits.memoryAvailableBytes, 3 * gibibyte);
    assert.equal(limits.cpus, 2);
    assert.ok(limits.cgroup !== undefined);
    assert.equal(readOomKills(limits.cgroup), 2);
  });

  it("takes the smallest limit of all groups above, and what is left under each of them", (context) => {
    const limits = read(context, {
      "proc/self/cgroup": "0::/a/b/c\n",
      "proc/self/mountinfo": unified,
      ...group2("sys/fs/cgroup/a", String(8 * gibibyte), 7 * 1024, "400000 100000"),
      ...group2("sys/fs/cgroup/a/b", String(3 * gibibyte), 512, "150000 100000"),
      ...group2("sys/fs/cgroup/a/b/c", "max", 256),
    });
    assert.equal(limits.memoryLimitBytes, 3 * gibibyte);
    assert.equal(limits.limitDir, join(limits.root, "sys/fs/cgroup/a/b"));
    assert.equal(limits.memoryAvailableBytes, 1 * gibibyte);
    assert.equal(limits.cpus, 1);
  });

  it("falls back to the top of the mount when the path is the host's", (context) => {
    for (const path of ["/kubepods.slice/pod1/ctr", "/../../other"]) {
      const limits = read(context, {
        "proc/self/cgroup": `0::${path}\n`,
        "proc/self/mountinfo": unified,
        ...group2("sys/fs/cgroup", String(2 * gibibyte), 0),
      });
      assert.equal(limits.memoryLimitBytes, 2 * gibibyte);
    }
  });

  it("takes a mount that shows a part of the hierarchy for that part", (context) => {
    const limits = read(context, {
      "proc/self/cgroup": "0::/docker/abc/inner\n",
      "proc/self/mountinfo": "30 25 0:26 /docker/abc /sys/fs/c\\040group rw - cgroup2 cgroup rw\n",
      ...group2("sys/fs/c group/inner", String(5 * gibibyte), 0),
    });
    assert.equal(limits.memoryLimitBytes, 5 * gibibyte);
  });

  it("leaves the group out for a job that shares it, and keeps its limit", (context) => {
    const files = { "proc/self/cgroup": "0::/job\n", "proc/self/mountinfo": unified };
    const limits = read(context, { ...files, ...group2("sys/fs/cgroup/job", String(2 * gibibyte), 100) });
    assert.ok(limits.cgroup !== undefined && limits.limitDir !== undefined);
    const own = leaveOutGroups(limits);
    assert.deepEqual([own.source, own.cgroup, own.limitDir], ["none", undefined, undefined]);
    assert.equal(own.memoryLimitBytes, 2 * gibibyte);
  });

  it("takes max, and a limit above the machine's memory, for none", (context) => {
    for (const max of ["max", String(16 * gibibyte)]) {
      const limits = read(context, {
        "proc/self/cgroup": "0::/app\n",
        "proc/self/mountinfo": unified,
        ...group2("sys/fs/cgroup/app", max, 1024),
      });
      assert.equal(limits.source, "none");
      assert.equal(limits.memoryLimitBytes, undefined);
      assert.equal(limits.memoryAvailableBytes, 12 * gibibyte);
      assert.equal(limits.cpus, 16);
    }
  });
});

describe("cgroup v1", () => {
  const mounts = [
    "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
    "32 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
  ].join("\n");

  it("finds the groups of both controllers", (context) => {
    const limits = read(context, {
      "proc/self/cgroup": "5:cpu,cpuacct:/jobs\n4:memory:/jobs/1\n",
      "proc/self/mountinfo": mounts,
      ...group1("sys/fs/cgroup/memory", none, 0),
      ...group1("sys/fs/cgroup/memory/jobs", `${2 * gibibyte}\n`, 1024),
      ...group1("sys/fs/cgroup/memory/jobs/1", none, 100),
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us": "50000\n",
      "sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us": "100000\n",
    });
    assert.equal(limits.source, "cgroup1");
    assert.equal(limits.memoryLimitBytes, 2 * gibibyte);
    assert.equal(limits.memoryAvailableBytes, 1 * gibibyte);
    assert.equal(limits.cpus, 1);
    assert.ok(limits.cgroup !== undefined);
    assert.equal(readOomKills(limits.cgroup), 4);
  });

  it("keeps to v1 for memory on a hybrid machine", (context) => {
    const limits = read(context, {
      "proc/self/cgroup": "4:memory:/job\n1:cpu:/\n0::/\n",
      "proc/self/mountinfo": `${mounts}\n33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`,
      ...group1("sys/fs/cgroup/memory/job", `${gibibyte}\n`, 256),
      ...group2("sys/fs/cgroup/unified", "max", 0),
    });
    assert.equal(limits.source, "cgroup1");
    assert.equal(limits.memoryLimitBytes, gibibyte);
  });

  it("never has more available than the machine", (context) => {
    const limits = read(context, {
      "proc/self/cgroup": "4:memory:/\n",
      "proc/self/mountinfo": mounts,
      ...group1("sys/fs/cgroup/memory", `${15 * gibibyte}\n`, 0),
    });
    assert.equal(limits.memoryLimitBytes, 15 * gibibyte);
    assert.equal(limits.memoryAvailableBytes, 12 * gibibyte);
  });
});

describe("no control groups", () => {
  it("reads the machine where there is no /proc", (context) => {
    const limits = readLimits({ root: makeTree(context, {}), parallelism: 4 });
    assert.equal(limits.source, "none");
    assert.equal(limits.memoryTotalBytes, totalmem());
    assert.ok(limits.memoryAvailableBytes > 0 && limits.memoryAvailableBytes <= Math.max(totalmem(), freemem()));
    assert.equal(limits.cpus, 4);
  });

  it("reads this very machine", () => {
    const limits = readLimits();
    assert.ok(limits.memoryAvailableBytes > 0 && limits.memoryAvailableBytes <= limits.memoryTotalBytes);
    assert.ok(limits.cpus >= 1);
  });
});
