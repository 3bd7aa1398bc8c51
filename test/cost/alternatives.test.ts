import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findAlternatives } from "../../src/cost/alternatives.ts";
import { rightSize } from "../../src/cost/right-size.ts";
import type { RunView } from "../../src/model/run.ts";
import { donePair, GiB, googlePrices, near, viewOf } from "../support/run-view.ts";

const alternativesOf = (view: RunView) => findAlternatives(view, googlePrices, rightSize(view, googlePrices));

describe("the same work elsewhere", () => {
  const hours = Array.from({ length: 27 }, (_, index) => donePair(`p${index}`, 0, 3600));
  const ways = new Map(alternativesOf(viewOf(hours)).map((way) => [way.name, way]));

  test("27 pairs of an hour in 50 GiB, by hand", () => {
    near(ways.get("One VM, one pair after another")?.estimated?.usd, 27 * (8 * 0.031611 + 64 * 0.004237));
    near(ways.get("BigQuery, on demand")?.estimated?.usd, ((27 * 12e9) / 2 ** 40) * 6.25);
    // Nine at once: 3 hours of the cluster.
    near(ways.get("GKE Autopilot, on demand")?.estimated?.usd, 27 * 0.6020548 + 0.3);
    near(ways.get("GKE Autopilot, Spot")?.estimated?.usd, 27 * (8 * 0.01335 + 50 * 0.001476 + 0.00001644) + 0.3);
    assert.equal(ways.get("One VM, one pair after another")?.wallSeconds, 27 * 3600);
    assert.equal(ways.get("GKE Autopilot, Spot")?.wallSeconds, 3 * 3600);
  });

  test("50 GiB does not fit Cloud Run: the basis says so, and assumes the recommended request", () => {
    const way = ways.get("Cloud Run jobs");
    assert.match(
      way?.basis ?? "",
      /^8 vCPU and 50\.0 GiB exceed the largest Cloud Run task \(8 vCPU and 32\.0 GiB\); with the recommended request instead: 27 pairs/,
    );
    near(way?.estimated?.usd, 27 * 3600 * (2 * 0.000018 + 2 * 0.000002));
    const large = alternativesOf(viewOf([donePair("a", 0, 3600, 0, 40 * GiB)])).find((one) => one.name === way?.name);
    assert.equal(large?.estimated, undefined);
    assert.match(large?.basis ?? "", /^Not possible/);
  });

  test("none before a pair is done", () => {
    assert.deepEqual(alternativesOf(viewOf([])), []);
  });
});
