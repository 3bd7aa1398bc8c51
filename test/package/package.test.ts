/**
 * The package as a user gets it: packed with `npm pack`, installed with `npm install --ignore-scripts` into an empty folder,
 * started with `npx` and imported by a TypeScript program, under the oldest Node that it claims to support.
 */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { scratchFolder } from "../support/folder.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const folder = await scratchFolder("package");
/** The oldest Node of package.json, as an npm package of this platform. */
const oldestVersion = `${/^>=(\d+\.\d+)$/.exec(packageJson.engines.node)?.[1]}.0`;
const nodePackage = `node-${process.platform}-${process.arch}@${oldestVersion}`;

/** Settings of the caller, and what npm and Node tell the programs that they start. */
const leftOut = /^(WIDEMERGE_|npm_(?!config_)|npm_config_local_prefix|NODE_(TEST|OPTIONS|COMPILE))/i;
/** Milliseconds that the slowest step may take: npm installs over a slow network. */
const patience = 15 * 60_000;

/** Runs a program with this Node or, once it is there, the oldest one, and nothing of the caller's settings. */
function run(program: string, args: readonly string[], cwd: string, node = process.execPath): SpawnSyncReturns<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !leftOut.test(name));
  const env = { ...Object.fromEntries(inherited), PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  return spawnSync(program, args, { cwd, env, encoding: "utf8", maxBuffer: 64 * 2 ** 20, timeout: patience });
}

function mustRun(...parts: Parameters<typeof run>): string {
  const { status, stdout, stderr, error } = run(...parts);
  assert.equal(status, 0, `${parts[0]} ${parts[1].join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Why nothing can be installed here; false where it can. */
function findAbsence(): string | false {
  const { status, stderr, error } = run("npm", ["view", nodePackage, "version", "--fetch-retries=1"], folder);
  if (status === 0) return false;
  const why = error?.message ?? stderr.split("\n").find((line) => line.startsWith("npm error")) ?? "";
  return `npm's registry cannot be reached, or it has no ${nodePackage}: run \`make test-package\` where \`npm view ${nodePackage}\` works (${why})`;
}

/** The path of the oldest Node, fetched once and kept in the user's cache. */
function fetchOldestNode(): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "widemerge");
  const kept = join(cache, nodePackage);
  const binary = join(kept, "node_modules", nodePackage.replace(/@.*/, ""), "bin", "node");
  if (existsSync(binary)) return binary;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, "fetch-"));
  const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--loglevel=error"];
  mustRun("npm", ["install", "--prefix", fresh, ...flags, nodePackage], fresh);
  rmSync(kept, { recursive: true, force: true });
  renameSync(fresh, kept);
  return binary;
}

/** The first TypeScript block of a document. */
function readExample(document: string): string {
  const block = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(checkout, document), "utf8"))?.[1];
  assert.ok(block, `${document} has an example`);
  return block;
}

/** Bytes of disk that a folder takes. */
function sizeOf(path: string): number {
  return Number(mustRun("du", ["-sk", path], folder).split("\t")[0]) * 1024;
}

/** What a document says in MB about a weight. */
function statedMegabytes(document: string, pattern: RegExp): number {
  const text = readFileSync(join(checkout, document), "utf8").replaceAll(/\s+/g, " ");
  return Number(pattern.exec(text)?.[1]);
}

function assertNear(bytes: number, statedMB: number): void {
  const found = bytes / 1e6;
  assert.ok(Math.abs(found - statedMB) <= Math.max(0.1, 0.15 * found), `${found} MB found, ${statedMB} MB stated`);
}

const absence = findAbsence();

describe(`the npm package under Node ${oldestVersion}`, { skip: absence, concurrency: 1 }, () => {
  const place = join(folder, "project");
  let node = "";
  let packed: {
    readonly filename: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  };

  const npx = (...args: string[]) => run("npx", ["widemerge", ...args], place, node);

  before(() => {
    node = fetchOldestNode();
    const output = mustRun("npm", ["pack", "--json", "--pack-destination", folder], checkout);
    // What the scripts print comes before the document.
    [packed] = JSON.parse(output.slice(output.indexOf("[\n")));
    mkdirSync(place);
    writeFileSync(join(place, "package.json"), '{ "type": "module", "private": true }\n');
    mustRun("npm", ["install", "--ignore-scripts", "--loglevel=error", join(folder, packed.filename)], place, node);
  });

  test("runs on that Node", () => {
    assert.equal(mustRun("node", ["--version"], place, node), `v${oldestVersion}\n`);
  });

  test("holds compiled JavaScript, what it reads, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    const known =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/widemerge|scripts\/find-node\.sh|profiles\/[\w-]+\.yaml|dist\/package\.json|dist\/prices\/[\w-]+\.yaml|dist\/data\/.+\.(csv|md)|dist\/src\/report\/templates\/\w+\.(eta|css)|dist\/src\/([\w-]+\/)*[\w-]+\.(js|d\.ts))$/;
    assert.deepEqual(
      paths.filter((path) => !known.test(path)),
      [],
    );
    for (const path of ["dist/src/cli.js", "dist/src/merge/main.js", "dist/src/index.js", "dist/src/index.d.ts"])
      assert.ok(paths.includes(path), path);
    assert.ok(!existsSync(join(checkout, "dist")), "packing leaves nothing in the checkout");
  });

  test("weighs what docs/api.md and README.md say", () => {
    assertNear(packed.size, statedMegabytes("docs/api.md", /weighs ([\d.]+) MB packed/));
    assertNear(packed.size, statedMegabytes("README.md", /an npm package \(([\d.]+) MB;/));
    assertNear(packed.unpackedSize, statedMegabytes("docs/api.md", /([\d.]+) MB unpacked/));
    const installed = sizeOf(join(place, "node_modules"));
    assertNear(installed, statedMegabytes("docs/api.md", /With its dependencies it takes ([\d.]+) MB/));
    assertNear(installed, statedMegabytes("README.md", /; ([\d.]+) MB installed with its dependencies/));
  });

  test("npx widemerge: --help, sample, merge, verify, run-all", () => {
    const help = npx("--help");
    assert.deepEqual([help.status, help.stderr.replaceAll(/^npm warn.*\n/gm, "")], [0, ""]);
    assert.match(help.stdout, /^Usage: widemerge /);
    assert.equal(npx("--version").stdout, `${packageJson.version}\n`);
    const sample = npx("sample", "--out", "checkpoints", "--pairs", "audusd,eurjpy", "--tables", "8", "--rows", "300");
    assert.equal(sample.status, 0, sample.stderr);
    const merged = npx("merge", "audusd", "--memory-ceiling", "1GiB", "--verify", "sample", "--json");
    assert.equal(merged.status, 0, merged.stderr);
    const { outcome, rows, peakMemoryBytes } = JSON.parse(merged.stdout);
    assert.deepEqual([outcome, rows], ["done", 300]);
    assert.ok(peakMemoryBytes > 20e6 && peakMemoryBytes < 2 ** 30, "the guard has measured");
    const verified = npx("verify", "audusd", "--level", "full");
    assert.equal(verified.status, 0, verified.stderr);
    const long = ["--out", "long", "--pairs", "audusd", "--tables", "20", "--rows", "25000", "--misaligned", "1"];
    assert.equal(npx("sample", ...long).status, 0);
    // So much is gathered by threads.
    const gathered = npx("merge", "audusd", "--input", "long", "--output", "wide", "--verify", "full");
    assert.equal(gathered.status, 0, gathered.stderr);
    const missing = npx("merge", "nzdusd");
    assert.equal(missing.status, 3, "exit codes pass through npx");
    const all = npx("run-all", "--run", "first", "--memory-ceiling", "1GiB");
    assert.equal(all.status, 0, all.stdout + all.stderr);
    assert.match(readFileSync(join(place, "training/runs/first/report.html"), "utf8"), /<svg/);
    assert.ok(existsSync(join(place, "training/training_eurjpy.manifest.json")));
  });

  test("the example of docs/api.md compiles in strict mode and runs", () => {
    rmSync(join(place, "training"), { recursive: true });
    const { typescript, "@types/node": types } = packageJson.devDependencies;
    const tools = [`typescript@${typescript}`, `@types/node@${types}`];
    mustRun("npm", ["install", "--save-dev", "--ignore-scripts", "--loglevel=error", ...tools], place, node);
    writeFileSync(join(place, "example.ts"), readExample("docs/api.md"));
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      module: "nodenext",
      target: "es2024",
      types: ["node"],
      outDir: "built",
    };
    writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["example.ts"] }));
    mustRun("npx", ["tsc", "-p", "."], place, node);
    const lines = mustRun("node", ["built/example.js"], place, node).trim().split("\n");
    assert.match(lines[0] ?? "", /^plan: \d+ of 4294967296 bytes$/);
    assert.ok(lines.includes("merge: 9 of 9 tables"), lines.join("\n"));
    assert.match(lines.at(-2) ?? "", /^done: 300 rows × \d+ columns in training\/training_audusd\.parquet$/);
    assert.match(lines.at(-1) ?? "", /^verify: \d+ values compared$/);
    assert.deepEqual(readdirSync(join(place, "training")).sort(), [
      "training_audusd.manifest.json",
      "training_audusd.parquet",
    ]);
  });
});
