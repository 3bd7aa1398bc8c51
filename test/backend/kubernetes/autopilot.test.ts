import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { checkAutopilot } from "../../../src/backend/kubernetes/autopilot.ts";
import { buildJob } from "../../../src/backend/kubernetes/job.ts";
import { makeLaunch, makeOptions } from "./support.ts";

const GiB = 2 ** 30;

function problemOf(gib: number, options: Parameters<typeof makeOptions>[0] = {}): string {
  const problems = checkAutopilot({ ceilingBytes: gib * GiB }, makeOptions({ autopilot: true, ...options }));
  return problems.map(({ what, found, fix }) => `${what} | ${found} | ${fix}`).join("\n");
}

describe("pods on GKE Autopilot", () => {
  test("50 GiB with the CPUs that go with it, and other sizes inside the ratio, are as they should be", () => {
    assert.equal(problemOf(50), "");
    assert.equal(problemOf(2, { cpu: 2 }), "");
    assert.equal(problemOf(6.5, { cpu: 1 }), "");
    assert.equal(problemOf(110), "");
  });

  test("too few CPUs, or too many: which would do", () => {
    assert.match(problemOf(50, { cpu: 2 }), /1 to 6\.5 GiB .* \| 50\.0 GiB with 2 vCPU \| set --cpu to 7\.75 up to 50/);
    assert.match(problemOf(0.5), /\| 512 MiB with 1 vCPU \| set --cpu to 0\.25 up to 0\.5/);
  });

  test("a ceiling that no pod can have is refused, by the whole Job too; another class has other limits", () => {
    assert.match(problemOf(111), /at most 30 vCPU and 110 GiB .*\| 111 GiB with 18 vCPU \| .*compute-class=Balanced/);
    assert.match(problemOf(50, { cpu: 31 }), /at most 30 vCPU/);
    assert.equal(problemOf(200, { nodeSelector: "cloud.google.com/compute-class=Balanced" }), "");
    const bucket = { WIDEMERGE_INPUT: "gs://b/in", WIDEMERGE_OUTPUT: "gs://b/out" };
    const launch = makeLaunch({ ceilingBytes: 111 * GiB });
    assert.throws(() => buildJob(launch, makeOptions({ autopilot: true }), bucket), /at most 30 vCPU and 110 GiB/);
    assert.ok(buildJob(launch, makeOptions(), bucket));
  });

  test("what is advised is accepted", () => {
    const sizes = [fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 120 })] as const;
    fc.assert(
      fc.property(...sizes, (quarters, cpus) => {
        const gib = quarters / 4;
        const [, least, most] = /set --cpu to ([\d.]+) up to ([\d.]+)/.exec(problemOf(gib, { cpu: cpus / 4 })) ?? [];
        for (const cpu of [least, most])
          if (cpu !== undefined && Number(cpu) <= 30) assert.equal(problemOf(gib, { cpu }), "");
      }),
    );
  });
});
