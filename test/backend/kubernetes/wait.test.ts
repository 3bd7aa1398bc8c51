import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OpenWatch, waitForChange } from "../../../src/backend/kubernetes/wait.ts";
import type { WatchEnd } from "../../../src/backend/kubernetes/watch.ts";

const never = new AbortController().signal;
const long = { milliseconds: 600_000, signal: never };

/** A watch whose streams end like this, one after the other, and then stay silent; counts how often it was opened. */
function script(...ends: readonly WatchEnd[]): { readonly open: OpenWatch; readonly count: () => number } {
  let opened = 0;
  const open: OpenWatch = (_seconds, signal) => {
    const end = ends[opened];
    opened += 1;
    if (end !== undefined) return Promise.resolve(end);
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve("ended")));
  };
  return { open, count: () => opened };
}

describe("a wait ends", () => {
  test("with the first change that one of the watches sees, and closes the others", async () => {
    const closed: boolean[] = [];
    const silent: OpenWatch = (_seconds, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          closed.push(true);
          resolve("ended");
        });
      });
    await waitForChange([silent, script("changed").open], long);
    assert.deepEqual(closed, [true]);
  });

  test("after a stream that broke was opened again", async () => {
    const broken = script("ended", "ended", "changed");
    await waitForChange([broken.open], long);
    assert.equal(broken.count(), 3);
  });

  test("with a version that is too old: the list is due, and no second try from it", async () => {
    const expired = script("expired");
    await waitForChange([expired.open], long);
    assert.equal(expired.count(), 1);
  });

  test("with its time, although the stream is silent for ever", async () => {
    const deaf: OpenWatch = () => new Promise(() => {});
    await waitForChange([deaf], { milliseconds: 20, signal: never });
  });

  test("at once when it is told to", async () => {
    const stop = new AbortController();
    const silent = script();
    const waiting = waitForChange([silent.open], { milliseconds: 600_000, signal: stop.signal });
    stop.abort();
    await waiting;
    assert.equal(silent.count(), 1);
  });
});

test("a stream that always breaks is not opened over and over", async () => {
  const broken = script(...Array<WatchEnd>(1000).fill("ended"));
  await waitForChange([broken.open], { milliseconds: 1200, signal: never });
  assert.ok(broken.count() <= 4, `${broken.count()} times in 1.2 seconds`);
});
