/** Every kind of request of a merge × every fault that can hit it: the merge succeeds, and the output is the same. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { Exchange, Fault } from "../support/faults.ts";
import { findGcsAbsence } from "../support/gcs.ts";
import { checkFinished, explain, mergeOverWire, openStand, readOutput, type Shape, type Stand } from "./stand.ts";

const KiB = 1024;
const absence = findGcsAbsence();

type Faults = Readonly<Record<string, Fault>>;

const reads: Faults = {
  "503 before": { kind: "answer", status: 503 },
  "429 before": { kind: "answer", status: 429 },
  "reset before the answer": { kind: "reset", at: { requestBytes: 0 } },
  "reset in the answer": { kind: "reset", at: { responseBytes: 100 } },
  "stall before the answer": { kind: "stall", at: { requestBytes: 0 } },
  "stall in the answer": { kind: "stall", at: { responseBytes: 100 } },
  "lost answer": { kind: "lose response" },
};
const writes: Faults = {
  "503 before": { kind: "answer", status: 503 },
  "429 before": { kind: "answer", status: 429 },
  "reset before the answer": { kind: "reset", at: { requestBytes: 0 } },
  "stall before the answer": { kind: "stall", at: { requestBytes: 0 } },
  "duplicate, first answer": { kind: "duplicate", answer: "first" },
  "duplicate, second answer": { kind: "duplicate", answer: "second" },
  "lost answer": { kind: "lose response" },
};
/** Of writes whose body is longer than so many bytes. */
const longWrites = (requestBytes: number): Faults => ({
  ...writes,
  [`503 after ${requestBytes / KiB} KiB`]: { kind: "answer", status: 503, requestBytes },
  [`reset after ${requestBytes / KiB} KiB`]: { kind: "reset", at: { requestBytes } },
  [`stall after ${requestBytes / KiB} KiB`]: { kind: "stall", at: { requestBytes } },
});

/** The nth request that fits, from 1. */
function nth(n: number, fits: (exchange: Exchange) => boolean): () => (exchange: Exchange) => boolean {
  return () => {
    let count = 0;
    return (exchange) => {
      if (!fits(exchange)) return false;
      count += 1;
      return count === n;
    };
  };
}

const of = (kind: Exchange["kind"], part: string) => (exchange: Exchange) =>
  exchange.kind === kind && decodeURIComponent(exchange.path).includes(part);

/** The first table that is read in bulk: that begins once the scratch of the dead is gone. */
function firstBody(): (exchange: Exchange) => boolean {
  let swept = false;
  return (exchange) => {
    swept ||= of("list", ".scratch")(exchange);
    return swept && of("media", "/in/")(exchange);
  };
}

interface Row {
  readonly request: string;
  readonly pick: () => (exchange: Exchange) => boolean;
  readonly faults: Faults;
}

/** Whatever is put together. */
const everywhere: readonly Row[] = [
  { request: "list of the checkpoint", pick: nth(1, of("list", "prefix=in/")), faults: reads },
  { request: "list of the scratch", pick: nth(1, of("list", ".scratch")), faults: reads },
  { request: "description of the output", pick: nth(1, of("metadata", "training_audusd.parquet")), faults: reads },
  { request: "footer of the targets", pick: nth(1, of("media", "targets.parquet")), faults: reads },
  { request: "rest of the targets' footer", pick: nth(2, of("media", "targets.parquet")), faults: reads },
  { request: "key of the targets", pick: nth(3, of("media", "targets.parquet")), faults: reads },
  { request: "probe of the output folder", pick: nth(1, of("upload", "/.probes/")), faults: writes },
  { request: "manifest", pick: nth(1, of("upload", "manifest.json")), faults: writes },
  { request: "removal of a scratch object", pick: nth(1, of("delete", "audusd/")), faults: writes },
  { request: "footer of the staged output", pick: nth(1, of("media", "output.parquet")), faults: reads },
  { request: "publication", pick: nth(1, of("compose", "training_audusd.parquet/compose")), faults: writes },
];
const composing: readonly Row[] = [
  { request: "body of an aligned table", pick: firstBody, faults: reads },
  { request: "part", pick: nth(2, of("upload", "/part-")), faults: longWrites(16 * KiB) },
  { request: "staged composition", pick: nth(1, of("compose", "output.parquet/compose")), faults: writes },
];
/** Of more objects than one composition takes. */
const joining: readonly Row[] = [{ request: "first join", pick: nth(1, of("compose", "join-")), faults: writes }];
const streaming: readonly Row[] = [
  { request: "body of a spliced table", pick: firstBody, faults: reads },
  { request: "start of the upload", pick: nth(1, of("resumable start", "output.parquet")), faults: writes },
  { request: "first chunk", pick: nth(1, ({ kind }) => kind === "resumable chunk"), faults: longWrites(256 * KiB) },
  { request: "middle chunk", pick: nth(2, ({ kind }) => kind === "resumable chunk"), faults: longWrites(256 * KiB) },
  { request: "last chunk", pick: nth(1, ({ lastChunk }) => lastChunk), faults: longWrites(256 * KiB) },
  { request: "description of the staged output", pick: nth(1, of("metadata", "output.parquet")), faults: reads },
];

function register(name: string, shape: Shape, assembly: string, rows: readonly Row[]): void {
  describe(name, { concurrency: 16 }, () => {
    let stand: Stand;
    let expected: Buffer;
    before(async () => {
      stand = await openStand(shape);
      const end = await mergeOverWire(stand, [], { assembly });
      const { bytes } = await readOutput(stand, end.prefix);
      assert.ok(bytes, explain(end));
      expected = bytes;
    });
    after(() => stand.gcs.stop());
    for (const { request, pick, faults } of rows)
      for (const [fault, what] of Object.entries(faults))
        it(`${request}: ${fault}`, async () => {
          const end = await mergeOverWire(stand, [{ on: pick(), fault: what }], { assembly });
          const hit = end.proxy.requests.filter((exchange) => exchange.fault !== undefined);
          assert.equal(hit.length, 1, "the fault hit nothing");
          assert.equal(end.result?.outcome, "done", explain(end));
          await checkFinished(stand, end.prefix, expected);
        });
  });
}

const endlessFaults = {
  "503": { kind: "answer", status: 503 },
  reset: { kind: "reset", at: { requestBytes: 0 } },
  stall: { kind: "stall", at: { requestBytes: 0 } },
} as const satisfies Faults;

/** Requests that never succeed, and whether an output may be there afterwards: one without its manifest is unfinished. */
const endless: readonly (readonly [string, string, (exchange: Exchange) => boolean, boolean])[] = [
  ["list", "compose", of("list", "prefix=in/"), false],
  ["range", "compose", of("media", "targets.parquet"), false],
  ["part", "compose", of("upload", "/part-"), false],
  ["composition", "compose", of("compose", "output.parquet/compose"), false],
  ["publication", "compose", of("compose", "training_audusd.parquet/compose"), false],
  ["manifest", "compose", of("upload", "manifest.json"), true],
  ["start of the upload", "stream", of("resumable start", ""), false],
  ["chunk", "stream", ({ kind }) => kind === "resumable chunk", false],
];

function registerEndless(): void {
  describe("that never end", { concurrency: 16 }, () => {
    let stand: Stand;
    before(async () => {
      stand = await openStand({ tables: 4, rows: 2000, misaligned: 0.5 });
    });
    after(() => stand.gcs.stop());
    for (const [request, assembly, on, mayLeave] of endless)
      for (const fault of ["503", "reset", "stall"] as const)
        it(`${request}: ${fault}`, async () => {
          const end = await mergeOverWire(
            stand,
            [{ on, fault: endlessFaults[fault], times: 1e9 }],
            { assembly },
            { retries: 2 },
          );
          assert.equal(end.failure?.exitCode, ExitCode.transient, explain(end));
          assert.match(end.failure?.message ?? "", /Cloud Storage could not .* after several tries.*run again/);
          const hits = end.proxy.requests.filter((exchange) => exchange.fault !== undefined);
          assert.ok(hits.length >= 3 && hits.length <= 20, `${hits.length} tries`);
          const { bytes, manifest } = await readOutput(stand, end.prefix);
          assert.equal(manifest, undefined);
          if (!mayLeave) assert.equal(bytes, undefined);
          const rerun = await mergeOverWire(stand, [], { assembly }, { prefix: end.prefix });
          assert.equal(rerun.result?.outcome, "done", explain(rerun));
        });
    it("removal of the scratch: the merge is done all the same", async () => {
      const fault = { kind: "answer", status: 503 } as const;
      const rule = { on: of("delete", "/audusd/"), fault, times: 1e9 };
      const end = await mergeOverWire(stand, [rule], { assembly: "compose" }, { retries: 1 });
      assert.equal(end.result?.outcome, "done", explain(end));
      assert.ok((await readOutput(stand, end.prefix)).manifest);
    });
  });
}

describe("faults on the wire", { skip: absence }, () => {
  const small = { tables: 4, rows: 4000, misaligned: 0.5 };
  registerEndless();
  register("composed", small, "compose", [...everywhere, ...composing]);
  register("composed of many", { tables: 36, rows: 100 }, "compose", joining);
  register("streamed", small, "stream", streaming);
});
