/** The commands of the documents: every fenced `sh` block with what stands around it. */
import { readdirSync, readFileSync } from "node:fs";

export const checkout = new URL("../../", import.meta.url).pathname;

/** What the comment right above a block says; without one, the block is run here and must end well. */
export type Marker =
  | { readonly kind: "run"; readonly exitCode: number }
  | { readonly kind: "cloud" }
  | { readonly kind: "elsewhere"; readonly files: readonly string[] };

export interface Block {
  /** Path in the checkout. */
  readonly document: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly commands: string;
  readonly marker: Marker;
  /** Lines of the `text` block right below: what the commands print, numbers aside. */
  readonly printed: readonly string[];
}

/** The documents at the top, those of other folders, and everything under docs/, as paths in the checkout. */
export const documents: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "data/README.md",
  "terraform/README.md",
  "test/README.md",
  "tools/README.md",
  ...readdirSync(`${checkout}docs`)
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `docs/${name}`),
];

export function readDocument(path: string): string {
  return readFileSync(checkout + path, "utf8");
}

interface Fence {
  readonly start: number;
  readonly end: number;
  readonly language: string;
}

/** Blocks of a document in their order. @throws Error for a marker that says nothing known. */
export function listBlocks(document: string): readonly Block[] {
  const lines = readDocument(document).split("\n");
  const fences = listFences(lines);
  return fences.flatMap(({ start, end, language }, index) => {
    if (language !== "sh") return [];
    const next = fences[index + 1];
    const follows =
      next?.language === "text" && lines.slice(end + 1, next.start).every((line) => line.trim() === "")
        ? lines.slice(next.start + 1, next.end)
        : [];
    const commands = lines.slice(start + 1, end).join("\n");
    const marker = readMarker(lines.slice(0, start).findLast((line) => line.trim() !== "") ?? "");
    return [{ document, line: start + 1, commands, marker, printed: follows }];
  });
}

function listFences(lines: readonly string[]): readonly Fence[] {
  const fences: Fence[] = [];
  for (let start = 0; start < lines.length; start += 1) {
    const language = /^\s*```(\w*)\s*$/.exec(lines[start] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.findIndex((line, place) => place > start && /^\s*```\s*$/.test(line));
    if (end === -1) throw new Error(`the block of line ${start + 1} has no end`);
    fences.push({ start, end, language });
    start = end;
  }
  return fences;
}

function readMarker(above: string): Marker {
  const words = /^\s*<!-- (.*) -->\s*$/.exec(above)?.[1];
  if (words === undefined) return { kind: "run", exitCode: 0 };
  if (words === "needs: cloud") return { kind: "cloud" };
  const exit = /^exit: (\d+)$/.exec(words)?.[1];
  if (exit !== undefined) return { kind: "run", exitCode: Number(exit) };
  const files = /^(?:needs: cluster, )?run by: ([\w./-]+(?:, [\w./-]+)*)$/.exec(words)?.[1];
  if (files !== undefined) return { kind: "elsewhere", files: files.split(", ") };
  throw new Error(`no such marker: ${above}`);
}

/** The simple commands of a block, as words; comments, pipes and continued lines resolved. */
export function splitCommands(commands: string): readonly (readonly string[])[] {
  const joined = commands.replaceAll(/\\\n\s*/g, " ").replaceAll(/(^|\s)#.*$/gm, "");
  return joined
    .split(/\n|&&|\|\||[|;]/)
    .map((command) => command.trim().split(/\s+/))
    .map((words) => words.slice(words.findIndex((word) => !/^\w+=/.test(word))))
    .filter(([first]) => first !== undefined && first !== "");
}
