import assert from "node:assert/strict";
import { test } from "node:test";
import {
  agree,
  formatBytes,
  formatCount,
  formatMemory,
  formatNumber,
  formatSeconds,
  parseBytes,
  parseSize,
  printSize,
} from "../../src/model/units.ts";

const sizes: [string, number | undefined][] = [
  ["50GiB", 50 * 2 ** 30],
  ["50Gi", 50 * 2 ** 30],
  ["15GB", 15e9],
  ["1.5 MiB", 1.5 * 2 ** 20],
  ["1024", 1024],
  [" 7 kB ", 7000],
  ["0", 0],
  ["50gib", undefined],
  ["GiB", undefined],
  ["-1GiB", undefined],
  ["1e9", undefined],
  ["1,5GB", undefined],
  ["", undefined],
  ["5 constructor", undefined],
];

for (const [text, bytes] of sizes)
  test(`"${text}" is ${bytes ?? "no size"}`, () => assert.equal(parseBytes(text), bytes));

const spoken: [string, number | undefined][] = [
  ...sizes.filter(([text]) => text !== "50gib"),
  ["2G", 2e9],
  ["2g", 2e9],
  ["2gb", 2e9],
  ["2 Gb", 2e9],
  ["2gib", 2 * 2 ** 30],
  ["2gi", 2 * 2 ** 30],
  ["512m", 512e6],
  ["512MIB", 512 * 2 ** 20],
  ["7b", 7],
  ["G", undefined],
  ["2GG", undefined],
  ["2iB", undefined],
  ["2PB", undefined],
];

for (const [text, bytes] of spoken)
  test(`"${text}", as people write it, is ${bytes ?? "no size"}`, () => assert.equal(parseSize(text), bytes));

test("bytes are printed with their unit", () => {
  assert.equal(printSize(500_000), "500000B");
  assert.equal(parseSize(printSize(500_000)), 500_000);
});

const texts: [string, string][] = [
  [formatMemory(0), "0 B"],
  [formatMemory(1023), "1023 B"],
  [formatMemory(1.2 * 2 ** 30), "1.20 GiB"],
  [formatMemory(384 * 2 ** 20), "384 MiB"],
  [formatMemory(50 * 2 ** 30), "50.0 GiB"],
  [formatMemory(2 ** 60), "1048576 TiB"],
  [formatBytes(999), "999 B"],
  [formatBytes(13.5e9), "13.5 GB"],
  [formatBytes(2e12), "2.00 TB"],
  [formatSeconds(0.421), "0.42 s"],
  [formatSeconds(12.71), "12.7 s"],
  [formatSeconds(200), "3 min 20 s"],
  [formatSeconds(179.7), "3 min 0 s"],
  [formatSeconds(3600), "60 min 0 s"],
  [formatCount(16988), "16,988"],
  [formatNumber(0, "table"), "0 tables"],
  [formatNumber(1, "table"), "1 table"],
  [formatNumber(16988, "table"), "16,988 tables"],
  [[0, 1, 2].map((count) => agree(count, "has", "have")).join(), "have,has,have"],
];

for (const [found, expected] of texts) test(expected, () => assert.equal(found, expected));
