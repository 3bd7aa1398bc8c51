import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeJson, makeVisible } from "../../src/model/visible.ts";

test("control characters, line breaks, invisible characters and unpaired surrogates are written out", () => {
  const shown: Readonly<Record<string, string>> = {
    "\u001b[2J": "\\u001b[2J",
    "a\u0007\u0000b": "a\\u0007\\u0000b",
    "a\nb\r\tc": "a\\nb\\r\\tc",
    "\u009b1m\u007f": "\\u009b1m\\u007f",
    "\u202ecod.exe\u2066": "\\u202ecod.exe\\u2066",
    "\u200b\u200d\ufeff\u00ad": "\\u200b\\u200d\\ufeff\\u00ad",
    "\u2028\u2029": "\\u2028\\u2029",
    "\ud800x\udc00": "\\ud800x\\udc00",
    "\u{e0041}": "\\u{e0041}",
    "\u3164\u034f": "\\u3164\\u034f",
  };
  for (const [text, expected] of Object.entries(shown)) assert.equal(makeVisible(text), expected);
});

test("every other character stays: letters of all scripts, symbols, pairs of surrogates", () => {
  const text = 'Größe / 価格 / цена / سعر / 😀 → × – "quoted" \\ a\u0301';
  assert.equal(makeVisible(text), text);
  assert.equal(escapeJson(text), text);
});

test("no code unit is left that is hidden, and a second pass changes nothing", () => {
  const all = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code));
  const visible = all.map(makeVisible).join(" ");
  assert.doesNotMatch(visible, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  assert.equal(makeVisible(visible), visible);
});

test("JSON keeps its values exactly, and its layout", () => {
  const value = { "\u001b": ["\u009b", "\u202e", "\u007f", "\n", "\ud800", "\u{e0041}"], plain: "é 😀" };
  const json = escapeJson(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(json), value);
  assert.doesNotMatch(json, /[^\n\P{Cc}]|[\p{Cf}\p{Cs}]/u);
  assert.match(json, /\n {2}"plain": "é 😀"\n\}$/);
});
