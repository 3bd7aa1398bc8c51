/**
 * Makes what `npm pack` packs, in dist/: compiled JavaScript with the declarations of the API, and the files that it reads.
 * Node strips types from the sources of a checkout, but not below node_modules.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const checkout = fileURLToPath(new URL("..", import.meta.url));
const target = join(checkout, "dist");
/** Files that the program reads at run time, by their paths in the checkout and in dist/. */
const assets = ["data", "prices", "src/report/templates"];
const api = "src/index.d.ts";

rmSync(target, { recursive: true, force: true });
const compiler = join(checkout, "node_modules/typescript/bin/tsc");
execFileSync(process.execPath, [compiler, "-p", join(checkout, "tsconfig.package.json")], { stdio: "inherit" });
for (const asset of assets) cpSync(join(checkout, asset), join(target, asset), { recursive: true });

// The declarations of everything else are of no use to a program that imports the API.
const reachable = new Set<string>();
follow(api);
for (const file of globSync("**/*.d.ts", { cwd: target })) if (!reachable.has(file)) rmSync(join(target, file));

function follow(file: string): void {
  if (reachable.has(file)) return;
  reachable.add(file);
  const { importedFiles } = ts.preProcessFile(readFileSync(join(target, file), "utf8"));
  for (const { fileName } of importedFiles) {
    if (!fileName.startsWith(".")) throw new Error(`${file} exposes the types of ${fileName} to users of the API`);
    follow(relative(target, join(target, dirname(file), fileName.replace(/\.ts$/, ".d.ts"))));
  }
}
