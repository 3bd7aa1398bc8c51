import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "./wait.ts";

test("waitFor returns the first value that is there", async () => {
  const values = [undefined, false, 7, 8] as const;
  let looks = 0;
  assert.equal(await waitFor(() => values[looks++], { what: "a number", everyMilliseconds: 1 }), 7);
  assert.equal(looks, 3);
});

test("waitFor fails with its name when nothing comes in time, and with what a look throws", async () => {
  const never = waitFor(async () => false, { what: "the end of the world", seconds: 0.05, everyMilliseconds: 5 });
  await assert.rejects(never, /^Error: the end of the world did not happen within 0.05 s$/);
  const broken = waitFor(() => Promise.reject(new Error("gone")), { what: "anything" });
  await assert.rejects(broken, /gone/);
});
