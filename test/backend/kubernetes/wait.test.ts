import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OpenWatch, waitForChange } from "../../../src/backend/kubernetes/wait.ts";
import type { WatchEnd } from "../../../src/backend/kubernetes/watch.ts";

const never = new AbortController().signal;
const long = { milliseconds: 600_000, settle: 0, signal: never };

/** A watch whose streams follow these steps, one after the other, and then stay silent; counts how often it was opened. */
function script(...steps: readonly (WatchEnd | "change")[]): {
  readonly open: OpenWatch;
  readonly count: () => number;
} {
  let opened = 0;
  const open: OpenWatch = (_seconds, onChange, signal) => {
    const step = steps[opened];
    opened += 1;
    if (step === "change") onChange();
    else if (step !== undefined) return Promise.resolve(step);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve("ended")));
  };
  return { open, count: () => opened };
}

describe("a wait ends", () => {
  test("with the first change that one of the watches reports, and closes all of them", async () => {
    const closed: string[] = [];
    const watch =
      (name: string, change: boolean): OpenWatch =>
      (_seconds, onChange, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            closed.push(name);
            resolve("ended");
          });
          if (change) onChange();
        });
    assert.equal(await waitForChange([watch("silent", false), watch("changed", true)], long), true);
    assert.deepEqual(closed.sort(), ["changed", "silent"]);
  });

  test("after a stream that broke was opened again", async () => {
    const broken = script("ended", "ended", "change");
    assert.equal(await waitForChange([broken.open], long), true);
    assert.equal(broken.count(), 3);
  });

  test("if the version is too old, without a second try: a new list is due", async () => {
    const expired = script("expired");
    assert.equal(await waitForChange([expired.open], long), false);
    assert.equal(expired.count(), 1);
  });

  test("after its time, although the stream stays silent", async () => {
    const deaf: OpenWatch = () => new Promise(() => {});
    assert.equal(await waitForChange([deaf], { milliseconds: 20, settle: 0, signal: never }), false);
  });

  test("at once when the signal is aborted", async () => {
    const stop = new AbortController();
    const silent = script();
    const waiting = waitForChange([silent.open], { milliseconds: 600_000, settle: 0, signal: stop.signal });
    stop.abort();
    assert.equal(await waiting, false);
    assert.equal(silent.count(), 1);
  });

  test("at once also during the rest of a burst, for which the streams stay open", async () => {
    const stop = new AbortController();
    let open = false;
    const bursting: OpenWatch = (_seconds, onChange, signal) => {
      open = true;
      onChange();
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          open = false;
          resolve("ended");
        }),
      );
    };
    const waiting = waitForChange([bursting], { milliseconds: 600_000, settle: 600_000, signal: stop.signal });
    await new Promise(setImmediate);
    assert.equal(open, true);
    stop.abort();
    assert.equal(await waiting, true);
    assert.equal(open, false);
  });
});

test("a stream that always breaks is opened with growing pauses", async () => {
  const broken = script(...Array<WatchEnd>(1000).fill("ended"));
  await waitForChange([broken.open], { milliseconds: 1200, settle: 0, signal: never });
  assert.ok(broken.count() <= 4, `${broken.count()} times in 1.2 seconds`);
});
