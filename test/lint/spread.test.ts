/** A list that grows with the data is never spread into arguments: beyond about 120,000 the call fails ("Maximum call stack"). */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../src", import.meta.url));
const spread = /\b(Math\.(max|min)|\.(push|unshift|splice)|String\.from\w+)\((\w+, )*\s*\.\.\./;
/** The control groups above a process, and pages of a listing, which have 1,000 entries. */
const bounded = ["memory/limits.ts", "store/gcs/store.ts"];

test("no list is spread into the arguments of Math.max, Math.min or push", () => {
  assert.match("Math.max(0, ...sizes)", spread);
  assert.match("list.push(\n  ...others", /\.push\(\s*\.\.\./);
  const found = globSync("**/*.ts", { cwd: source }).filter((file) =>
    spread.test(readFileSync(join(source, file), "utf8")),
  );
  assert.deepEqual(found.sort(), bounded, "use largest, smallest or a loop");
});
