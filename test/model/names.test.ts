import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveSettings } from "../../src/config/resolve.ts";
import { Failure } from "../../src/model/failure.ts";
import { folderOf } from "../../src/model/folders.ts";
import { adviseOnName } from "../../src/model/names.ts";

const own: readonly [string, string][] = [
  ["ES=F", "--folders ES=F:es_f merges it as es_f"],
  ["BRK.B", "--folders BRK.B:brk_b merges it as brk_b"],
  ["it's 1", "--folders 'it'\\''s 1':it_s_1 merges it as it_s_1"],
  ["EUR/USD", "a folder with a name of letters, digits, _ and - will do"],
  ["..", "a folder with a name of letters, digits, _ and - will do"],
  ["=", "a folder with a name of letters, digits, _ and - will do"],
];
for (const [name, advice] of own) test(`what would do for ${name}`, () => assert.equal(adviseOnName(name), advice));

test("folders are given as text, as a map or as JSON, and found by their pair", () => {
  const read = (folders: unknown) => resolveSettings({ flags: { folders }, environment: {} }).folders;
  const expected = { "ES=F": "es_f", "a:b": "c" };
  for (const given of ["ES=F:es_f,a:b:c", expected, JSON.stringify(expected)]) assert.deepEqual(read(given), expected);
  assert.deepEqual([folderOf(expected, "es_f"), folderOf(expected, "audusd")], ["ES=F", "audusd"]);
  for (const wrong of ["ES=F", "../x:x", "a/b:x", "a:b/c", "a:x,b:x", ":x", { a: 1 }, "{"])
    assert.throws(() => read(wrong), Failure, JSON.stringify(wrong));
});
