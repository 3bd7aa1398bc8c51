import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";

/** The machine and the versions: what a reader needs to judge the numbers. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** File system and device of the work folder. */
  readonly disk: string;
  readonly versions: Readonly<Record<string, string>>;
}

export function describeMachine(work: string): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    disk: describeDisk(work),
    versions: { ...readPackageVersions(), ...readPythonVersions() },
  };
}

function describeDisk(work: string): string {
  const lines = execFileSync("df", ["--output=fstype,source", work], { encoding: "utf8" }).trim().split("\n");
  return (lines.at(-1) ?? "unknown").trim().split(/\s+/).join(" on ");
}

function readPackageVersions(): Record<string, string> {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version, dependencies, devDependencies } = JSON.parse(text);
  const all: Record<string, string> = { ...dependencies, ...devDependencies };
  return {
    widemerge: version,
    "nodejs-polars": all["nodejs-polars"] ?? "",
    "@duckdb/node-api": all["@duckdb/node-api"] ?? "",
  };
}

/** The versions that scripts/interop.sh pins. The Python peers run only if it has installed them. */
function readPythonVersions(): Record<string, string> {
  const text = readFileSync(new URL("../requirements-interop.txt", import.meta.url), "utf8");
  const pins = text.split("\n").flatMap((line) => {
    const [name, version] = line.split("==");
    return version !== undefined && (name === "pyarrow" || name === "polars") ? [[`${name} (Python)`, version]] : [];
  });
  return Object.fromEntries(pins);
}
