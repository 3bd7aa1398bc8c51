/** Answers that are none: of another range, altered on the way, or no JSON. A proxy gives them in the service's place. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { Exchange, Fault } from "../support/faults.ts";
import { findGcsAbsence } from "../support/gcs.ts";
import { checkFinished, explain, mergeOverWire, openStand, readOutput, type Stand } from "./stand.ts";

const of = (kind: Exchange["kind"], part: string) => (exchange: Exchange) =>
  exchange.kind === kind && decodeURIComponent(exchange.path).includes(part);

describe("answers that are none", { skip: findGcsAbsence(), concurrency: 8 }, () => {
  let stand: Stand;
  let expected: Buffer;
  before(async () => {
    stand = await openStand({ tables: 4, rows: 4000, misaligned: 0.5 });
    const { prefix } = await mergeOverWire(stand, [], { assembly: "stream" });
    expected = (await readOutput(stand, prefix)).bytes ?? Buffer.alloc(0);
  });
  after(() => stand.gcs.stop());

  /** The merge is done in spite of the fault, and asked for the range again. */
  async function checkRetried(on: (exchange: Exchange) => boolean, fault: Fault): Promise<void> {
    const end = await mergeOverWire(stand, [{ on, fault }], { assembly: "stream" });
    assert.ok(
      end.proxy.requests.some((exchange) => exchange.fault !== undefined),
      "the fault hit nothing",
    );
    assert.equal(end.result?.outcome, "done", explain(end));
    await checkFinished(stand, end.prefix, expected);
  }

  const media = of("media", "/in/");

  it("every read of an input names its generation", async () => {
    const { proxy, result } = await mergeOverWire(stand, [], { assembly: "stream", verify: "full" });
    assert.equal(result?.outcome, "done");
    const reads = proxy.requests.filter(({ kind }) => kind === "media");
    assert.ok(reads.length > 10);
    for (const { path } of reads) assert.match(path, /[?&]generation=\d+/);
  });

  for (const [name, range] of [
    ["the whole object with 200", undefined],
    ["another range", "bytes=1-9"],
    ["one byte of the range", "bytes=0-0"],
  ] as const) {
    it(`${name} in place of a range: asked again`, () => checkRetried(media, { kind: "other range", range }));
    it(`${name}, always: exit 75`, async () => {
      const rule = { on: media, fault: { kind: "other range", range }, times: 1e9 } as const;
      const end = await mergeOverWire(stand, [rule], {}, { retries: 1 });
      assert.equal(end.failure?.exitCode, ExitCode.transient, explain(end));
      assert.match(
        end.failure?.message ?? "",
        // Where an answer is abandoned, the client may break its next request too.
        /^no answer of Cloud Storage when asked to read gs:.*: found (HTTP 200 in answer to a range, where 206 was due|Content-Range bytes .* where bytes .* was due); check the proxies|^Cloud Storage could not read gs:.*socket hang up/,
      );
    });
  }

  // Of the five tables, two are aligned and three are spliced; each is read in one request after the scratch was listed.
  for (const n of [1, 2, 3, 4, 5])
    it(`a byte of object ${n} is altered on the way: exit 75, and nothing is published`, async () => {
      let swept = false;
      const seen = new Set<string>();
      const on = (exchange: Exchange): boolean => {
        swept ||= of("list", ".scratch")(exchange);
        if (swept && media(exchange)) seen.add(exchange.path);
        return [...seen].indexOf(exchange.path) === n - 1;
      };
      const end = await mergeOverWire(stand, [{ on, fault: { kind: "alter" }, times: 1e9 }], { assembly: "stream" });
      assert.equal(end.failure?.exitCode, ExitCode.transient, explain(end));
      assert.match(
        end.failure?.message ?? "",
        /^the bytes that arrived of gs:.*\.parquet are not those in the bucket: found CRC32C [0-9a-f]{8}, the object's is [0-9a-f]{8}; run again/,
      );
      assert.deepEqual(await readOutput(stand, end.prefix), {});
    });

  /** What a proxy or a gateway may answer in the service's place. */
  const bodies = {
    "a page of HTML": "<html><head><title>Login</title></head></html>",
    "a list": "[503]",
    "an error that is a text": '{"error": "busy"}',
  };
  const requests: readonly (readonly [string, string, (exchange: Exchange) => boolean])[] = [
    ["a list", "stream", of("list", "prefix=in/")],
    ["a description", "stream", of("metadata", "training_audusd.parquet")],
    ["a read", "stream", media],
    ["an upload", "stream", of("upload", "manifest.json")],
    ["the start of an upload", "stream", of("resumable start", "")],
    ["a chunk", "stream", ({ kind }) => kind === "resumable chunk"],
    ["a composition", "compose", of("compose", "output.parquet/compose")],
  ];
  for (const [request, assembly, on] of requests)
    for (const status of [200, 503])
      for (const [name, body] of Object.entries(bodies))
        it(`HTTP ${status} with ${name} in answer to ${request}: exit 75, and nothing is published`, async () => {
          const rule = { on, fault: { kind: "answer", status, body }, times: 1e9 } as const;
          const end = await mergeOverWire(stand, [rule], { assembly }, { retries: 1 });
          assert.equal(end.failure?.exitCode, ExitCode.transient, explain(end).slice(0, 600));
          assert.match(
            end.failure?.message ?? "",
            /^(no answer of Cloud Storage when asked to|Cloud Storage could not) (list|read|write|compose) gs:/,
          );
          assert.equal((await readOutput(stand, end.prefix)).manifest, undefined);
        });
});
