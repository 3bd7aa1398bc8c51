import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { causesByWeight } from "../../src/model/ending.ts";
import { decide, type FailedAttempt, pauseAfter, policyOf } from "../../src/run/policy.ts";
import { GiB } from "../support/run.ts";

const settings = { retries: 3, retriesUnexpected: 1, memoryCeilings: [4 * GiB, 2 * GiB, GiB / 2] };
const policy = policyOf(settings, GiB);
const failed = (...causes: FailedAttempt["cause"][]): FailedAttempt[] =>
  causes.map((cause) => ({ cause, ceilingBytes: GiB }));

describe("the decision about a failed pair", () => {
  it("a pair that never failed starts under the configured ceiling", () =>
    assert.deepEqual(decide([], policy), { action: "start", ceilingBytes: GiB }));

  it("ceilings rise; those that are not above the configured one are ignored", () =>
    assert.deepEqual(policy.ceilings, [GiB, 2 * GiB, 4 * GiB]));

  it("out of memory: the next ceiling, until there is none", () => {
    const climb = (...sizes: number[]) =>
      decide(
        sizes.map((size): FailedAttempt => ({ cause: "memory", ceilingBytes: size * GiB })),
        policy,
      );
    assert.deepEqual(climb(1), { action: "start", ceilingBytes: 2 * GiB });
    assert.deepEqual(climb(1, 2), { action: "start", ceilingBytes: 4 * GiB });
    assert.deepEqual(climb(1, 2, 4), { action: "give up", cause: "memory" });
    assert.deepEqual(decide(failed("memory"), policyOf({ ...settings, memoryCeilings: [] }, GiB)), {
      action: "give up",
      cause: "memory",
    });
  });

  it("permanent failures are not retried", () => {
    for (const cause of ["input", "verification", "usage"] as const)
      assert.deepEqual(decide(failed(cause), policy), { action: "give up", cause });
  });

  it("each cause has its own counter", () => {
    assert.equal(decide(failed("transient", "transient", "transient", "unexpected"), policy).action, "start");
    const fourth = failed("transient", "transient", "transient", "transient");
    assert.deepEqual(decide(fourth, policy), { action: "give up", cause: "transient" });
    assert.deepEqual(decide(failed("unexpected", "transient", "unexpected"), policy), {
      action: "give up",
      cause: "unexpected",
    });
  });

  it("disruptions never count, whatever else happened", () => {
    const causes = fc.array(fc.constantFrom(...causesByWeight), { maxLength: 12 });
    fc.assert(
      fc.property(causes, fc.nat(100), (list, disruptions) => {
        const more = failed(...list, ...new Array<"disruption">(disruptions).fill("disruption"));
        assert.deepEqual(decide(more, policy), decide(failed(...list), policy));
      }),
    );
  });
});

describe("the pause before a retry", () => {
  const pause = (...causes: FailedAttempt["cause"][]) => pauseAfter(failed(...causes), policy);

  it("doubles from 1 to 30 seconds, whatever the causes are", () => {
    assert.deepEqual([pause(), pause("transient"), pause("transient", "unexpected")], [0, 1000, 2000]);
    const many = new Array<"disruption">(5).fill("disruption");
    assert.deepEqual([pause(...many), pause(...many, "disruption"), pause(...many, ...many)], [16_000, 30_000, 30_000]);
  });

  it("is skipped before a start with more memory, which does not count either", () => {
    assert.deepEqual([pause("memory"), pause("transient", "memory"), pause("memory", "transient")], [0, 0, 1000]);
  });
});
