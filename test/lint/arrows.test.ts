/** Every rule about imports fires: the commands of `make lint` run on a copy of src/ with one forbidden import for each rule. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { scratchFolder } from "../support/folder.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/** For each rule, the file that breaks it and what the file imports. */
const plants: Readonly<Record<string, readonly [file: string, imported: string]>> = {
  "no-circular": ["model/one.ts", "./two.ts"],
  "model-stands-alone": ["model/planted.ts", "../store/owner.ts"],
  "config-sees-model": ["config/planted.ts", "../store/owner.ts"],
  "rooms-see-model-only": ["cost/planted.ts", "../store/owner.ts"],
  "report-sees-cost": ["report/planted.ts", "../store/owner.ts"],
  "merge-sees-rooms": ["merge/plan/planted.ts", "../../memory/limits.ts"],
  "run-sees-the-interface": ["run/planted.ts", "../backend/kubernetes/names.ts"],
  "backends-see-model": ["backend/cloudrun/planted.ts", "../kubernetes/names.ts"],
  "sample-sees-writer": ["sample/planted.ts", "../parquet/footer.ts"],
  "nobody-imports-the-command-line": ["app/planted.ts", "../cli/flags.ts"],
  "commands-stand-apart": ["cli/plan.ts", "./merge.ts"],
  "commands-see-app": ["cli/planted.ts", "../run/policy.ts"],
  "app-is-imported-by-commands": ["run/upwards.ts", "../app/log.ts"],
  "merge-runs-in-a-child": ["app/inline.ts", "../merge/run.ts"],
  "cloud-run-in-its-client": ["app/cloud-run.ts", "@google-cloud/run"],
  "kubernetes-client-in-its-backend": ["backend/kubernetes/job.ts", "@kubernetes/client-node"],
  "polars-in-parquet": ["merge/polars.ts", "nodejs-polars"],
  "storage-client-in-store": ["store/storage.ts", "@google-cloud/storage"],
  "charts-in-report": ["cost/charts.ts", "echarts"],
  "terminal-in-cli": ["app/terminal.ts", "commander"],
  "log-in-app": ["cli/log.ts", "pino"],
  "nothing-unresolvable": ["model/nowhere.ts", "./no-such-file.ts"],
  "start-without-polars": ["cli/indirect.ts", "../parquet/indirect.ts"],
  "start-without-cloud-clients": ["app/indirect.ts", "../store/gcs/client.ts"],
  "start-without-the-html-report": ["cli/drawing.ts", "../report/html.ts"],
  "start-without-a-backend": ["run/local.ts", "../backend/local/backend.ts"],
};

/** Files that stand between a planted import and what it leads to. */
const helpers: Readonly<Record<string, string>> = {
  "model/two.ts": "./one.ts",
  "parquet/indirect.ts": "nodejs-polars",
};

/** The configuration files with their rules. */
const configurations = globSync(".dependency-cruiser*.json", { cwd: checkout }).sort();
const rules = configurations.flatMap((file) =>
  (JSON.parse(readFileSync(join(checkout, file), "utf8")).forbidden as { name: string }[]).map(({ name }) => name),
);
/** The commands of `make lint` that look at imports. */
const commands = readFileSync(join(checkout, "scripts/lint.sh"), "utf8")
  .split("\n")
  .flatMap((line) => /^check [\w-]+ (node_modules\/\.bin\/depcruise .*)$/.exec(line)?.[1] ?? []);

let found = "";

before(async () => {
  const copy = await scratchFolder("arrows");
  for (const name of ["src", "package.json", "tsconfig.json", ...configurations])
    cpSync(join(checkout, name), join(copy, name), { recursive: true });
  symlinkSync(join(checkout, "node_modules"), join(copy, "node_modules"));
  const files = [...Object.values(plants), ...Object.entries(helpers)];
  for (const [file, imported] of files) {
    mkdirSync(dirname(join(copy, "src", file)), { recursive: true });
    writeFileSync(join(copy, "src", file), `import "${imported}";\n`, { flag: "a" });
  }
  for (const command of commands) {
    const ended = spawnSync(command, { cwd: copy, shell: true, encoding: "utf8" });
    assert.notEqual(ended.status, 0, `${command} fails`);
    found += ended.stdout;
  }
});

test("make lint checks every configuration", () => {
  assert.deepEqual(commands.map((command) => /--config (\S+)/.exec(command)?.[1]).sort(), configurations);
});

test("every rule has a planted import", () => {
  assert.deepEqual(Object.keys(plants).sort(), [...rules].sort());
});

for (const [rule, [file, imported]] of Object.entries(plants))
  test(`${rule}: src/${file} must not import ${imported}`, () => {
    const lines = found.split("\n").filter((line) => line.includes(`error ${rule}: src/${file} → `));
    assert.notEqual(lines.length, 0, found);
  });
