import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunView } from "../../src/model/run.ts";
import { buildReport } from "../../src/report/build.ts";
import { renderHtml } from "../../src/report/html.ts";
import { donePair, exampleRun, googlePrices, viewOf } from "../support/run-view.ts";
import { hostileRun } from "./support/hostile.ts";

const render = (view: RunView): string => renderHtml(buildReport(view, googlePrices), view);

test("one file without scripts and links to other places, and a policy that forbids both", () => {
  const html = render(exampleRun());
  assert.match(
    html,
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:/,
  );
  assert.match(html, /<meta name="viewport" content="width=device-width, initial-scale=1">/);
  assert.doesNotMatch(html, /<script|<iframe|<object|\bon[a-z]+="|@import|src="http|href="http/i);
  for (const word of ["gbpnzd", "memory ceiling", "n2-highmem-8", "77,748 rows share a key", "cloudRunMemory"]) {
    assert.ok(html.includes(word), word);
  }
});

test("the same report gives the same text; ids are unique", () => {
  const html = render(exampleRun());
  assert.ok(render(exampleRun()) === html);
  assert.doesNotMatch(html, /zr\d/);
  const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test("markup in names and messages is escaped everywhere, in pictures too", () => {
  const html = render(hostileRun());
  assert.doesNotMatch(html, /<script|<img|onerror=alert\(1\)>(?!&)/i);
  const pictures = html.match(/<svg[\s\S]*?<\/svg>/g) ?? [];
  assert.ok(pictures.some((svg) => svg.includes("&lt;script&gt;")));
  assert.equal((html.match(/<\/title>/g) ?? []).length, 1);
  assert.equal((html.match(/<svg/g) ?? []).length, (html.match(/<\/svg>/g) ?? []).length);
});

test("failures: each cause once, with its attempts, its pairs and what to do", () => {
  const html = render(exampleRun());
  const cells = (row: string): string[] => [...row.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell = ""]) => cell);
  const rows = (html.match(/<tr>[\s\S]*?<\/tr>/g) ?? []).map(cells);
  const byCause = ["memory", "disruption", "input"].map((cause) => rows.filter(([first]) => first === cause));
  assert.deepEqual(
    byCause.map((found) => found.map((row) => row.slice(1, 3))),
    [[["1", "audusd"]], [["1", "eurjpy"]], [["1", "gbpnzd"]]],
  );
  for (const [row] of byCause) assert.match(row?.[3] ?? "", /^[A-Z].*\.$/);
  assert.doesNotMatch(render(viewOf([donePair("a", 0, 60)])), /Failures, and what to do/);
});

test("of many pairs only some are drawn, and the report says so; the tables list all", () => {
  const many = Array.from({ length: 150 }, (_, index) => donePair(`p${index}`, index, index + 60));
  const html = render(viewOf(many));
  const named = (part: string): number => new Set(part.match(/(?<=>)p\d+\b/g)).size;
  const pictures = (html.match(/<div class="picture wide"[\s\S]*?<\/svg>/g) ?? []).map(named);
  assert.deepEqual(pictures, [100, 100, 0]);
  assert.equal((html.match(/<figure>/g) ?? []).length, 60);
  assert.match(html, /<p>The pictures show the first 100 of 150 pairs; the tables list all of them\.<\/p>/);
  assert.match(html, /<p>The pictures show the first 60 of 150 pairs;/);
  assert.match(html, /<p>The pictures show the most expensive 100 of 150 pairs;/);
  assert.equal((html.match(/<td class="value">p149<\/td>/g) ?? []).length, 3 + 1 + 5);
});

test("a run without pairs, and a run on this machine", () => {
  assert.match(render(viewOf([])), /0 pairs/);
  const local = render(viewOf([donePair("a", 0, 60)], { backend: "local", input: "in", output: "out" }));
  assert.match(local, /counts as \$0/);
});

test("a ceiling near the peak is drawn, one far above it is mentioned", () => {
  assert.match(render(viewOf([donePair("a", 0, 60, 0, 40 * 2 ** 30)])), /the dashed line is the ceiling/);
  assert.match(render(viewOf([donePair("a", 0, 60, 0, 2 ** 30)])), /far below the ceiling \(50\.0 GiB, 50 times/);
});
