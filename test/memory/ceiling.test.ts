import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolveCeiling } from "../../src/memory/ceiling.ts";

const gibibyte = 2 ** 30;
const auto = { memoryCeiling: "auto", memoryWarn: "auto", memoryFree: 0 } as const;

describe("auto", () => {
  it("takes the container's limit", () => {
    const { ceiling, problems } = resolveCeiling(auto, { memoryLimitBytes: 1000, memoryAvailableBytes: 10 });
    assert.deepEqual(ceiling, { ceilingBytes: 1000, warnBytes: 900, stopBytes: 970 });
    assert.deepEqual(problems, []);
  });

  it("takes 80% of what is free where there is no limit, and 50 GiB at most", () => {
    assert.equal(resolveCeiling(auto, { memoryAvailableBytes: 1000 }).ceiling.ceilingBytes, 800);
    assert.equal(resolveCeiling(auto, { memoryAvailableBytes: 900 * gibibyte }).ceiling.ceilingBytes, 50 * gibibyte);
  });
});

describe("stated", () => {
  const stated = { memoryCeiling: 50 * gibibyte, memoryWarn: 45 * gibibyte, memoryFree: 40 * gibibyte };

  it("is taken as it stands", () => {
    const { ceiling, problems } = resolveCeiling(stated, { memoryAvailableBytes: 40 * gibibyte });
    assert.deepEqual(problems, []);
    assert.equal(ceiling.ceilingBytes, 50 * gibibyte);
    assert.equal(ceiling.warnBytes, 45 * gibibyte);
    assert.equal(ceiling.stopBytes, Math.floor(50 * gibibyte * 0.97));
  });

  it("may equal the container's limit, and is a problem one byte above it", () => {
    const limits = { memoryLimitBytes: 50 * gibibyte, memoryAvailableBytes: 49 * gibibyte };
    assert.deepEqual(resolveCeiling(stated, limits).problems, []);
    const { problems } = resolveCeiling({ ...stated, memoryCeiling: 50 * gibibyte + 1 }, limits);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.fix ?? "", new RegExp(`lower --memory-ceiling to ${50 * gibibyte}B`));
  });

  it("lists everything that is wrong at once", () => {
    const settings = { memoryCeiling: 50 * gibibyte, memoryWarn: 51 * gibibyte, memoryFree: 40 * gibibyte };
    const limits = { memoryLimitBytes: 50 * 1e9, memoryAvailableBytes: 39 * gibibyte };
    const { problems } = resolveCeiling(settings, limits);
    assert.equal(problems.length, 3);
    assert.match(
      problems[0]?.found ?? "",
      /ceiling 50.0 GiB \(53687091200 bytes\), limit 46.6 GiB \(50000000000 bytes\)/,
    );
    assert.match(problems[1]?.what ?? "", /warning level is above/);
    assert.match(problems[2]?.what ?? "", /40.0 GiB .* required by memoryFree/);
  });
});
