import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toWorkerEnvironment } from "../../src/app/worker-environment.ts";
import { resolveSettings } from "../../src/config/resolve.ts";
import { Failure } from "../../src/model/failure.ts";

const anySettings = fc.record(
  {
    input: fc.constantFrom("gs://bucket/in", "/data/in"),
    output: fc.constantFrom("gs://bucket/out", "/data/out"),
    memoryWarn: fc.constantFrom("auto", "45GiB"),
    memoryFree: fc.constantFrom("40GiB", 0),
    diskFree: fc.constantFrom("auto", "15GB", "500kB"),
    key: fc.constantFrom("interval_time", "t"),
    duplicates: fc.constantFrom("error", "last"),
    naming: fc.constantFrom("prefix", "keep"),
    rowGroupRows: fc.constantFrom("auto", 1000),
    folders: fc.constantFrom("ES=F:es_f", { "A,B:C": "abc" }),
    separator: fc.constantFrom("_", "__"),
    rename: fc.constantFrom({ "a,b": "c=d" }, "ts=interval_time,x/y=z"),
    keyCast: fc.constantFrom("none", "timestamp-utc"),
    keepIndex: fc.boolean(),
    tables: fc.constantFrom("mkt_*,tri_?", ["a"]),
    excludeTables: fc.constantFrom("x", ["*_raw", "{pair}"]),
    expectTables: fc.constant(668),
    requireMarker: fc.boolean(),
    verify: fc.constantFrom("structure", "full"),
    replace: fc.boolean(),
    sync: fc.boolean(),
    logEvery: fc.constantFrom(50, 10),
    assembly: fc.constantFrom("auto", "stream", "compose"),
    gcsEndpoint: fc.constant("http://127.0.0.1:4443"),
    project: fc.constant("fx-features"),
  },
  { requiredKeys: [] },
);

const ofTheRun = {
  pairs: "audusd,eurjpy",
  memoryCeiling: "50GiB",
  backend: "kubernetes",
  parallelism: 5,
  run: "a",
  memoryCeilings: "60GiB",
  retries: 7,
  maxCost: 20,
};

test("a worker resolves its variables to the very settings of the run", () => {
  fc.assert(
    fc.property(anySettings, (flags) => {
      const environment = toWorkerEnvironment(resolveSettings({ flags: { ...flags, ...ofTheRun }, environment: {} }));
      const inWorker = resolveSettings({ flags: {}, environment });
      assert.deepEqual(inWorker, resolveSettings({ flags, environment: {} }));
    }),
  );
});

test("input and output are always stated, nothing else that is the default, and nothing of the run", () => {
  const environment = toWorkerEnvironment(resolveSettings({ flags: ofTheRun, environment: {} }));
  assert.deepEqual(environment, { WIDEMERGE_INPUT: "checkpoints", WIDEMERGE_OUTPUT: "training" });
});

test("a file of table names on this machine is nothing for a container", () => {
  const settings = resolveSettings({ flags: { expectTables: "tables.txt" }, environment: {} });
  assert.throws(
    () => toWorkerEnvironment(settings),
    (error) => error instanceof Failure && error.exitCode === 2,
  );
});
