/** What is in the image, and what is not. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import packageJson from "../../package.json" with { type: "json" };
import { Bench, whySkipped } from "./support.ts";

const skip = whySkipped();
const limitMegabytes = 450;

describe("the image's content", { skip, timeout: 120_000 }, () => {
  const bench = new Bench();
  after(() => bench.remove());

  /** What a shell command prints, with the right to look everywhere. */
  function look(command: string): string {
    const { code, stdout, stderr } = bench.run(["--user", "0", "--entrypoint", "/bin/sh"], "-ec", command);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  /** Runs an ES module beside the project's package.json. */
  function evaluate(code: string): string {
    const flags = ["--workdir", "/opt/widemerge", "--entrypoint", "node"];
    const run = bench.run(flags, "--no-warnings", "--input-type=module", "-e", code);
    assert.equal(run.code, 0, run.stderr);
    return run.stdout;
  }

  test(`is at most ${limitMegabytes} MB unpacked`, () => {
    const bytes = Number(look("du -xsb --exclude=/proc --exclude=/sys --exclude=/data / | cut -f1"));
    assert.ok(bytes > 100e6 && bytes <= limitMegabytes * 1e6, `${bytes} bytes`);
  });

  test("every production package loads", () => {
    // Of ECharts the image has the bundle that the report imports, and nothing else.
    const names = Object.keys(packageJson.dependencies).map((name) =>
      name === "echarts" ? "echarts/dist/echarts.esm.min" : name,
    );
    const load = `for (const name of ${JSON.stringify(names)}) { await import(name); console.log(name); }`;
    assert.deepEqual(evaluate(load).trim().split("\n"), names);
  });

  test("every module of the project loads", () => {
    // These three do their work as soon as they are loaded; the other tests start them.
    const entries = "/^(cli|merge.main|merge.transfer.transfer-thread)\\.ts$/";
    const list = `readdirSync("src", { recursive: true }).filter((path) => path.endsWith(".ts") && !${entries}.test(path))`;
    const load = `for (const path of ${list}) { await import("/opt/widemerge/src/" + path); console.log(path); }`;
    const loaded = evaluate(`import { readdirSync } from "node:fs"; ${load} process.exit(0)`);
    assert.ok(loaded.split("\n").length > 100, loaded);
  });

  test("the module of the threads that gather columns starts in a thread", () => {
    const thread = 'new Worker("/opt/widemerge/src/merge/transfer/transfer-thread.ts", { execArgv: [] })';
    // It waits for work. An error while it loads would end this program first.
    const code = `import { Worker } from "node:worker_threads"; const thread = ${thread}; setTimeout(() => { console.log(thread.threadId); thread.terminate(); }, 2000);`;
    assert.equal(evaluate(code), "1\n");
  });

  test("no development package is in it", () => {
    const found = look("cd /opt/widemerge/node_modules && ls -d * @*/*").split("\n");
    for (const name of [...Object.keys(packageJson.devDependencies), "@types"])
      assert.ok(!found.includes(name), `${name} is in the image`);
  });

  test("no binary for another platform is in it", () => {
    const pattern = "-name '*.node' -o -name '*.bare' -o -name '*.dll' -o -name '*.exe' -o -name '*.dylib'";
    const found = look(`cd /opt/widemerge/node_modules && find . ${pattern}`).split("\n").sort();
    assert.deepEqual(
      found.map((path) => /\/([\w-]+)\.linux-(?:x64|arm64)-gnu\.node$/.exec(path)?.[1] ?? path),
      ["lz4-napi", "snappy", "crc32", "nodejs-polars"],
    );
  });

  test("no compiler's or debugger's file, no package manager, no program that changes its user", () => {
    assert.equal(look("find /opt/widemerge/node_modules -name '*.map' -o -name '*.d.ts' | head -3"), "");
    assert.equal(look("command -v npm npx yarn corepack || true"), "");
    assert.equal(look("find / -xdev -type f -perm /6000"), "");
  });

  test("nothing of the project can be written to by its user", () => {
    assert.equal(look("find /opt/widemerge ! -type l '(' ! -user 0 -o -perm /022 ')' | head -3"), "");
  });

  test("the licences of the packages are still there", () => {
    assert.ok(Number(look("find /opt/widemerge/node_modules -iname 'licen[cs]e*' | wc -l")) > 100);
  });

  test("the modules that were compiled at the build are used", () => {
    const { stderr } = bench.run(["--env", "NODE_DEBUG_NATIVE=COMPILE_CACHE"], "--help");
    const used = stderr.match(/V8 code cache for ESM .*cli\.ts was accepted/g)?.length ?? 0;
    assert.equal(used, 1, stderr.slice(0, 1000));
  });

  test("settings, prices and rates are there; labels say what it is", () => {
    look(
      "cd /opt/widemerge && test -s profiles/27-pairs.yaml && ls prices/*.yaml data/* src/report/templates/page.eta",
    );
    const { stdout } = bench.call("inspect", process.env.IMAGE ?? "");
    const label = (name: string) => new RegExp(`"org.opencontainers.image.${name}": "([^"]+)"`).exec(stdout)?.[1];
    assert.equal(label("title"), packageJson.name);
    assert.equal(label("version"), packageJson.version);
    assert.match(label("revision") ?? "", /^[0-9a-f]{40}$/);
  });
});
