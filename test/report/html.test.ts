import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunView, WorkerRecord } from "../../src/model/run.ts";
import { buildReport } from "../../src/report/build.ts";
import { renderHtml } from "../../src/report/html.ts";
import { donePair, exampleRun, googlePrices, viewOf } from "../support/run-view.ts";
import { hostileRun } from "./support/hostile.ts";

/** What a worker leaves that uses no bucket. */
function withoutTraffic({ result: { traffic: _, ...result }, ...record }: WorkerRecord): WorkerRecord {
  return { ...record, result };
}

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

test("control characters and bidirectional overrides in messages are written out", () => {
  const pair = { ...donePair("audusd", 0, 60), state: "failed", why: "gone\u202e\u0007\u0000\u200b" } as const;
  const html = render(viewOf([pair]));
  assert.match(html, /gone\\u202e\\u0007\\u0000\\u200b/);
  assert.doesNotMatch(html, /[^\n\P{Cc}]|[\p{Cf}\p{Cs}]/u);
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
  const many = Array.from({ length: 150 }, (_, index) => donePair(`p${index}`, index, index + 60, 8));
  const [first, ...others] = many;
  const retried = { ...donePair("p0", 0, 60), attempts: [...(first?.attempts ?? []), ...(first?.attempts ?? [])] };
  const html = render(viewOf([retried, ...others]));
  const named = (part: string): number => new Set(part.match(/(?<=>)p\d+\b/g)).size;
  const pictures = (html.match(/<div class="picture wide"[\s\S]*?<\/svg>/g) ?? []).map(named);
  assert.deepEqual(pictures, [0, 100, 100]);
  assert.equal((html.match(/<figure>/g) ?? []).length, 60);
  assert.match(html, /<p>The pictures show the first 100 of 150 pairs; the tables list all of them\.<\/p>/);
  assert.match(html, /<p>The pictures show the first 60 of 150 pairs;/);
  assert.match(html, /<p>The pictures show the most expensive 100 of 150 pairs;/);
  assert.equal((html.match(/<td class="value">p149<\/td>/g) ?? []).length, 4 + 6 + 1 + 5);
  assert.match(html, /<p>1,198 tables of 150 pairs have other rows than the targets/);
  assert.match(html, /<p>198 more tables of this kind: report\.json lists all\.<\/p>/);
});

const local = { backend: "local", input: "in", output: "out" } as const;
const titles = (html: string): string[] => [...html.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title = ""]) => title);
const facts = (html: string): string[] => [...html.matchAll(/<dt>([^<]*)<\/dt>/g)].map(([, name = ""]) => name);

test("a run without pairs has nothing but its costs", () => {
  const html = render(viewOf([]));
  assert.match(html, /0 pairs/);
  assert.deepEqual(titles(html), ["Settings", "Cost by pair"]);
  assert.deepEqual(titles(render(viewOf([], { ...local, handles: [] }))), []);
});

test("data before money; what does not apply is not shown: retries, costs on this machine, bills", () => {
  const remote = render(exampleRun());
  assert.deepEqual(titles(remote), [
    ...["Failures, and what to do", "Pairs and outputs", "Rows matched, null-filled and dropped"],
    ...["Spliced and aligned tables", "Timeline", "Memory", "Settings", "Cost by pair"],
    ...["What the next run should request", "The same work elsewhere"],
  ]);
  assert.deepEqual(facts(remote), [
    ...["Output", "Spliced", "Other rows than the targets", "Time", "Attempts", "Largest working set"],
    ...["Estimated cost", "Storage"],
  ]);
  assert.doesNotMatch(remote, /[Bb]illed/);
  const pair = donePair("a", 0, 60, 0);
  const here = render(viewOf([{ ...pair, records: pair.records.map(withoutTraffic) }], local));
  assert.deepEqual(titles(here), [
    ...["Pairs and outputs", "Spliced and aligned tables", "Memory", "Settings"],
    ...["What the next run should request", "The same work elsewhere"],
  ]);
  assert.deepEqual(facts(here), ["Output", "Spliced", "Time", "Attempts", "Largest working set"]);
  assert.match(here, /Every table has exactly the rows of the targets/);
  assert.match(here, /counts as \$0/);
  assert.doesNotMatch(here, /Estimated cost|Compute cost|Storage a month/);
});

test("settings in force, as a configuration file has them; empty ones are left out", () => {
  const policy = { ceilingBytes: 2 ** 31, retries: 3, retriesUnexpected: 1, memoryCeilings: [2 ** 32, 2 ** 33] };
  const settings = { key: "ts", rename: { "a/b": "c" }, tables: [], folders: {}, keepIndex: false };
  const html = render(viewOf([], { settings, policy, completeness: { requireMarker: false } }));
  const rows = [...html.matchAll(/<td class="value">([^<]*)<\/td>\s*<td class="text">([^<]*)<\/td>/g)];
  assert.deepEqual(Object.fromEntries(rows.map(([, name, found]) => [name, found])), {
    ...{ key: "ts", rename: "a/b: c", keepIndex: "false", requireMarker: "false" },
    ...{ memoryCeiling: "2.00 GiB", memoryCeilings: "4.00 GiB, 8.00 GiB" },
    ...{ retries: "3", retriesUnexpected: "1", parallelism: "9" },
  });
});

test("outputs and manifests are links where the report lies in their folder, and names of objects in a bucket", () => {
  const hrefs = (html: string): string[] => [...html.matchAll(/href="(\.[^"]*)">([^<]*)</g)].map(([, to = ""]) => to);
  const html = render(viewOf([donePair("a", 0, 60)], local));
  assert.deepEqual(hrefs(html), ["../../training_a.parquet", "../../training_a.manifest.json"]);
  const remote = render(viewOf([donePair("a", 0, 60)]));
  assert.deepEqual(hrefs(remote), []);
  assert.match(remote, /<td class="value">gs:\/\/fx\/training\/training_a\.manifest\.json<\/td>/);
  for (const href of hrefs(render(hostileRun()))) assert.match(href, /^\.\.\/\.\.\/training_[\w%.!~*'()-]*$/);
});

test("a table with other rows than the targets: matched, null-filled, dropped, and the share", () => {
  const html = render(viewOf([donePair("a", 0, 60, 2)]));
  assert.match(html, /<p>2 tables of 1 pair have other rows than the targets\./);
  const [row = ""] =
    html.match(/<tr>\s*<td class="value">a<\/td>\s*<td class="value">pair_lag_000<[\s\S]*?<\/tr>/) ?? [];
  const cells = [...row.matchAll(/<td[^>]*>([^<]*)</g)].map(([, cell]) => cell);
  assert.deepEqual(cells, ["a", "pair_lag_000", "100,000", "99,500", "500", "0.5%", "7"]);
});

test("a ceiling near the peak is drawn, one far above it is mentioned", () => {
  assert.match(render(viewOf([donePair("a", 0, 60, 0, 40 * 2 ** 30)])), /the dashed line is the ceiling/);
  assert.match(render(viewOf([donePair("a", 0, 60, 0, 2 ** 30)])), /far below the ceiling \(50\.0 GiB, 50 times/);
});
