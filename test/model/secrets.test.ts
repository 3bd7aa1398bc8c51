import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hideSecrets } from "../../src/model/secrets.ts";

const cases: readonly (readonly [string, string])[] = [
  ["authorization: Bearer ya29.a0AfB_byC-123456789", "authorization: Bearer …"],
  ["token ya29.a0AfB_byC-123", "token …"],
  ["Basic dXNlcjpwYXNzd29yZDEyMw==", "Basic …"],
  ["https://x/upload?uploadType=resumable&upload_id=ABPtcPq-1_2", "https://x/upload?uploadType=resumable&upload_id=…"],
  ["https://x/o?X-Goog-Credential=a%40b&X-Goog-Signature=00ff", "https://x/o?X-Goog-Credential=…&X-Goog-Signature=…"],
  ["https://x/o?access_token=abc and more", "https://x/o?access_token=… and more"],
];

for (const [text, hidden] of cases) test(hidden, () => assert.equal(hideSecrets(text), hidden));

test("a token is hidden wherever it stands, and what says nothing secret stays as it is", () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_.-]{20,60}$/);
  fc.assert(
    fc.property(token, fc.stringMatching(/^[a-z ,:"{}]{0,30}$/), (secret, around) => {
      const text = hideSecrets(`${around} Bearer ${secret}" ${around}`);
      assert.ok(!text.includes(secret), text);
      assert.equal(hideSecrets(around), around);
    }),
  );
});
