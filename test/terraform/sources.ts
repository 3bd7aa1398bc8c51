import { readdirSync, readFileSync } from "node:fs";

export const moduleFolder = new URL("../../terraform/", import.meta.url);

/** The text of a file of the Terraform module. */
export function readModuleFile(name: string): string {
  return readFileSync(new URL(name, moduleFolder), "utf8");
}

/** The text of all its .tf files. */
export function readModule(): string {
  const names = readdirSync(moduleFolder).filter((name) => name.endsWith(".tf"));
  return names.map(readModuleFile).join("\n");
}

export interface Declared {
  readonly name: string;
  readonly description: string;
  /** As it is written; undefined where there is none. */
  readonly default: string | undefined;
}

/** The blocks `variable "…" { … }` or `output "…" { … }` of a formatted file. */
export function readDeclared(kind: "variable" | "output", file: string): readonly Declared[] {
  const blocks = readModuleFile(file).matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n(.*?)^\\}`, "gms"));
  return [...blocks].map(([, name = "", body = ""]) => ({
    name,
    description: /^ {2}description\s*= "(.*)"$/m.exec(body)?.[1] ?? "",
    default: /^ {2}default\s*= (.*)$/m.exec(body)?.[1],
  }));
}
