/** The documents say what the code says: settings, exit codes, pictures, prices, links. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { renderReference } from "../../scripts/configuration-reference.ts";
import { flagOf, variableOf } from "../../src/config/resolve.ts";
import { settingNames } from "../../src/config/settings.ts";
import { predictCost } from "../../src/cost/forecast.ts";
import { parsePrices } from "../../src/cost/prices.ts";
import { exitCodes, reasons, signals } from "../../src/model/ending.ts";
import { ExitCode, outcomeOf } from "../../src/model/exit-code.ts";
import { checkout, documents, readDocument } from "./blocks.ts";

test("docs/configuration.md is what its generator makes", () => {
  const advice = "run: node --no-warnings scripts/configuration-reference.ts";
  assert.equal(readDocument("docs/configuration.md"), renderReference(), advice);
});

test("every setting is in the reference: key, flag, variable", () => {
  const text = readDocument("docs/configuration.md");
  for (const name of settingNames) {
    const flags = [flagOf(name), flagOf(name).replace("--", "--no-")].map((flag) => `\`${flag}\``);
    assert.ok(text.includes(`\`${name}\``) && text.includes(`\`${variableOf(name)}\``), name);
    assert.ok(
      flags.some((flag) => text.includes(flag)),
      `the flag of ${name}`,
    );
  }
});

test("every exit code has its place in docs/operations.md", () => {
  const codes = [...readDocument("docs/operations.md").matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(
    codes.sort((left, right) => left - right),
    Object.values(ExitCode).sort((left, right) => left - right),
  );
});

test("every word for an ending is in docs/operations.md", () => {
  const section = readDocument("docs/operations.md")
    .split(/^## /m)
    .find((text) => text.startsWith("How an attempt ended"));
  const failures = [reasons, exitCodes, signals].flatMap((table) => Object.values(table).map(({ word }) => word));
  const words = new Set<string>([...failures, ...Object.values(outcomeOf), "already done", "no output"]);
  const rows = [...(section ?? "").matchAll(/^\| (`.*?`) \|/gm)].flatMap(
    ([, cell = ""]) => cell.match(/[^`]+(?=`)/g) ?? [],
  );
  const listed = rows.filter((word) => word !== ", ");
  assert.deepEqual(listed.sort(), [...words].sort());
});

/** Relative targets of links and pictures. */
function listLinks(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
    ([, link, source]) => link ?? source ?? "",
  );
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** Anchors of a document's headings, as GitHub makes them. */
function listAnchors(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

for (const document of documents)
  test(`${document}: every relative link and picture leads somewhere`, () => {
    for (const link of listLinks(readDocument(document))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : join(dirname(document), path);
      assert.ok(existsSync(join(checkout, target)), link);
      if (anchor !== undefined) assert.ok(listAnchors(readDocument(target)).has(anchor), link);
    }
  });

test("every document under docs/ is linked from another one", () => {
  const linked = documents.flatMap((document) =>
    listLinks(readDocument(document)).map((link) => join(dirname(document), link.replace(/#.*/, ""))),
  );
  const found = documents.filter((document) => !document.endsWith("README.md"));
  assert.deepEqual(
    found.filter((document) => !linked.includes(document)),
    [],
  );
});

const pictures = readdirSync(join(checkout, "docs")).filter((name) => name.endsWith(".svg"));

/** Elements that are open when a picture ends, or what is wrong with their nesting. */
function checkNesting(text: string): string[] {
  const open: string[] = [];
  const tags = text
    .replaceAll(/<!--.*?-->|<style>.*?<\/style>/gs, "")
    .matchAll(/<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[<&](?!\w+;)/g);
  for (const [whole, end, name, , alone] of tags) {
    if (name === undefined) return [`${whole} stands for nothing`];
    if (end === "/" && open.pop() !== name) return [`</${name}> ends another element`];
    if (end !== "/" && alone !== "/") open.push(name);
  }
  return open;
}

for (const picture of pictures)
  test(`docs/${picture} is well-formed, has a title, and shows in the dark`, () => {
    const text = readDocument(`docs/${picture}`);
    assert.match(text, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
    assert.deepEqual(checkNesting(text), []);
    assert.match(text, /<title[^>]*>[^<]{10,}<\/title>/);
    assert.match(text, /prefers-color-scheme: dark/);
    assert.doesNotMatch(text, /(?:fill|stroke)="#/, "a colour that the dark scheme does not change");
  });

/** The room of a path below src/; undefined for a file at its top or outside of it. */
function roomOf(path: string): string | undefined {
  const [room, ...inside] = path.split("/");
  return inside.length === 0 || room === ".." ? undefined : room;
}

/** Rooms that a file below src/ imports from, types included. */
function listImportedRooms(path: string): (string | undefined)[] {
  const text = readFileSync(join(checkout, "src", path), "utf8");
  const imported = text.matchAll(/(?:from|import|import\() ?"(\.[^"]+)"/g);
  return Array.from(imported, ([, target = ""]) => roomOf(join(dirname(path), target)));
}

test("the picture of the rooms shows the imports that there are", () => {
  const files = readdirSync(join(checkout, "src"), { recursive: true, encoding: "utf8" });
  const imports = new Set<string>();
  for (const path of files.filter((name) => name.endsWith(".ts"))) {
    const room = roomOf(path);
    for (const other of listImportedRooms(path))
      if (room !== undefined && other !== undefined && other !== room && other !== "model")
        imports.add(`${room} ${other}`);
  }
  const drawn = [...readDocument("docs/rooms.svg").matchAll(/data-arrow="([^"]+)"/g)].map(([, arrow = ""]) => arrow);
  assert.deepEqual(drawn.sort(), [...imports].sort());
});

const pairs = 27;
const GiB = 2 ** 30;
const rows = [
  { name: "GKE Autopilot", backend: "kubernetes", spot: false, vcpu: 8, gib: 50 },
  { name: "GKE Autopilot, Spot", backend: "kubernetes", spot: true, vcpu: 8, gib: 50 },
  { name: "GKE Autopilot", backend: "kubernetes", spot: false, vcpu: 2, gib: 2 },
  { name: "GKE Autopilot, Spot", backend: "kubernetes", spot: true, vcpu: 2, gib: 2 },
  { name: "Cloud Run", backend: "cloudrun", spot: false, vcpu: 8, gib: 32 },
  { name: "Cloud Run", backend: "cloudrun", spot: false, vcpu: 2, gib: 2 },
] as const;

/** $ of a run in which every pair takes some seconds. */
function costOf({ backend, spot, vcpu, gib }: (typeof rows)[number], seconds: number): number {
  const list = parsePrices(readDocument("prices/google-us-central1.yaml"), "prices");
  const pair = { spot, seconds, vcpu, memoryBytes: gib * GiB, outputBytes: 0 };
  const forecast = { backend, output: "gs://bucket", parallelism: pairs };
  const named = Array.from({ length: pairs }, (_, index) => ({ ...pair, pair: `p${index}` }));
  return predictCost({ ...forecast, pairs: named }, list).estimated.usd;
}

for (const row of rows)
  test(`docs/sizing.md: ${row.name} with ${row.gib} GiB costs what the price list says`, () => {
    const [minute, hour] = [60, 3600].map((seconds) => `$${costOf(row, seconds).toFixed(2)}`);
    const line = `| ${row.name} | ${row.vcpu} vCPU, ${row.gib} GiB | ${minute} | ${hour} |`;
    assert.ok(readDocument("docs/sizing.md").includes(line), line);
  });
