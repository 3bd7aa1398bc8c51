import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The programs that the tests drive. A missing one is skipped by name, never in silence. */

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const python = join(root, ".venv/bin/python");
const javaTarget = join(here, "java/target");

export const libraries = ["pyarrow", "pandas", "polars", "duckdb", "java"] as const;
export type Library = (typeof libraries)[number];

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why a library cannot take part here, with what to do about it; undefined when it can. */
export function findAbsence(library: Library): string | undefined {
  if (library === "java") return findJavaAbsence();
  if (!existsSync(python)) return `${library}: no .venv here; run scripts/interop.sh (it needs python3 with venv)`;
  return undefined;
}

/** Writes the library's checkpoints and their cases.json into a folder. */
export function writeCheckpoints(library: Library, folder: string): void {
  const command = library === "java" ? [...javaCommand(), "write"] : [python, join(here, "python/write.py"), library];
  mustRun([...command, folder]);
}

/** Lets a library read files; each [file, json] gets what it saw, or why it could not read it. */
export function readFiles(library: Library, files: readonly (readonly [string, string])[]): void {
  const command = library === "java" ? [...javaCommand(), "read"] : [python, join(here, "python/read.py"), library];
  mustRun(command, files.map((pair) => `${pair.join("\t")}\n`).join(""));
}

/** What pyarrow reads in the footers, inputs against output: a list of problems. */
export function compareFooters(request: unknown): readonly string[] {
  return JSON.parse(mustRun([python, join(here, "python/footers.py")], JSON.stringify(request)));
}

/** Writes or checks the messy checkpoints of python/first_hour.py; what it prints. */
export function runFirstHour(command: "write" | "check", ...paths: readonly string[]): string {
  return mustRun([python, join(here, "python/first_hour.py"), command, ...paths]);
}

/** Runs bin/widemerge to its end. */
export function runWidemerge(...flags: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, "bin/widemerge"), flags, { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

function findJavaAbsence(): string | undefined {
  if (spawnSync("java", ["-version"]).status !== 0) return "parquet-java: no java here; install a JDK 17 and Maven";
  const built = existsSync(join(javaTarget, "classes")) && existsSync(join(javaTarget, "dependency"));
  return built ? undefined : "parquet-java: not built here; run scripts/interop.sh (it needs mvn)";
}

function javaCommand(): string[] {
  const jars = readdirSync(join(javaTarget, "dependency")).map((jar) => join(javaTarget, "dependency", jar));
  const path = [join(javaTarget, "classes"), ...jars].join(delimiter);
  return ["java", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", path, "widemerge.interop.Main"];
}

function mustRun(command: readonly string[], input = ""): string {
  const [program = "", ...rest] = command;
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const result = spawnSync(program, rest, { input, env, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (result.status === 0) return result.stdout;
  throw new Error(`${command.join(" ").slice(0, 300)} ended with ${result.status ?? result.signal}:\n${result.stderr}`);
}
