import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fitMachine, fitSize } from "../../src/cost/machine-sizes.ts";
import { GiB } from "../support/run-view.ts";

describe("the smallest size that a backend has", () => {
  test("Cloud Run: more memory needs more vCPUs, up to 8 and 32 GiB", () => {
    const vcpus = [4, 4.1, 8, 8.1, 16, 16.1, 24, 24.1, 32].map(
      (gib) => fitSize("cloudrun", { vcpu: 1, memoryBytes: gib * GiB })?.vcpu,
    );
    assert.deepEqual(vcpus, [1, 2, 2, 4, 4, 6, 6, 8, 8]);
    assert.equal(fitSize("cloudrun", { vcpu: 1, memoryBytes: 32.1 * GiB }), undefined);
    assert.deepEqual(fitSize("cloudrun", { vcpu: 3, memoryBytes: GiB }), { vcpu: 4, memoryBytes: 2 * GiB });
  });

  test("Autopilot: at most 6.5 GiB and at least 1 GiB a vCPU: 50 GiB needs 7.75", () => {
    assert.deepEqual(fitSize("kubernetes", { vcpu: 1, memoryBytes: 50 * GiB }), { vcpu: 7.75, memoryBytes: 50 * GiB });
    assert.deepEqual(fitSize("kubernetes", { vcpu: 2, memoryBytes: GiB }), { vcpu: 2, memoryBytes: 2 * GiB });
    assert.deepEqual(fitSize("kubernetes", { vcpu: 2, memoryBytes: 2.1 * GiB }), { vcpu: 2, memoryBytes: 2.25 * GiB });
  });

  test("one VM: the smallest high-memory machine with both", () => {
    assert.equal(fitMachine({ vcpu: 8, memoryBytes: 50 * GiB })?.name, "n2-highmem-8");
    assert.equal(fitMachine({ vcpu: 2, memoryBytes: 65 * GiB })?.name, "n2-highmem-16");
    assert.equal(fitMachine({ vcpu: 128, memoryBytes: GiB }), undefined);
  });
});
