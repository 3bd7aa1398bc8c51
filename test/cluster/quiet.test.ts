/** The short form of `make bench PARTS=quiet`: the requests of a controller in a minute in which nothing happens. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultPairs } from "../../src/sample/pairs.ts";
import { measureQuiet } from "../support/quiet.ts";
import { openQuietCluster } from "./quiet.ts";
import { whySkipped } from "./support.ts";

describe("a quiet run of 27 pairs", { skip: whySkipped(), timeout: 600_000 }, () => {
  test("makes at most 12 requests a minute: lists and watches, one of each for Jobs and for pods", async (context) => {
    const platform = await openQuietCluster(defaultPairs);
    context.after(() => platform.close());
    const { perMinute, requests, delays } = await measureQuiet(platform, {
      seconds: 60,
      settleSeconds: 20,
      changes: 1,
    });
    assert.ok(perMinute > 0 && perMinute <= 12, JSON.stringify(requests));
    assert.deepEqual(Object.keys(requests).sort(), ["list jobs", "list pods", "watch jobs", "watch pods"]);
    assert.equal(delays.length, 1);
  });
});
