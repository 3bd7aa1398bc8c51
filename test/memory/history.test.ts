import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { createHistory } from "../../src/memory/history.ts";

it("keeps a bounded number, the newest as they came, every peak, and the order of time", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 400 }), fc.integer({ min: 2, max: 20 }), (values, half) => {
      const history = createHistory(half);
      const samples = values.map((bytes, seconds) => ({ seconds, bytes }));
      for (const sample of samples) history.add(sample);
      const kept = history.list();
      assert.ok(kept.length <= 2 * half);
      assert.deepEqual(kept.slice(-half), samples.slice(-half));
      assert.equal(Math.max(0, ...kept.map(({ bytes }) => bytes)), Math.max(0, ...values));
      assert.ok(kept.every((sample, index) => index === 0 || sample.seconds > (kept[index - 1]?.seconds ?? 0)));
    }),
  );
});

it("keeps everything of a short run, and at most 600 of a long one", () => {
  const history = createHistory();
  for (let seconds = 0; seconds < 300; seconds += 1) history.add({ seconds, bytes: seconds });
  assert.equal(history.list().length, 300);
  for (let seconds = 300; seconds < 100_000; seconds += 1) history.add({ seconds, bytes: seconds });
  assert.ok(history.list().length <= 600 && history.list().length > 400);
});
