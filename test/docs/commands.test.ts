/** Every command of the documents: run here, or by the test that the document names, or marked as needing the cloud. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { allCommands } from "../../scripts/configuration-reference.ts";
import { scratchFolder } from "../support/folder.ts";
import { type Block, checkout, documents, listBlocks, readDocument, splitCommands } from "./blocks.ts";

/** What a document takes for granted: the reader's own checkpoints, and what the demo left. */
const preparations: Readonly<Record<string, string>> = {
  "README.md": [
    ...["checkpoints", "demo/checkpoints"].map(
      (out) => `bin/widemerge sample --out ${out} --pairs audusd --tables 6 --rows 300`,
    ),
    "bin/widemerge merge audusd --input demo/checkpoints --output demo/training",
  ].join("\n"),
};
/** What the documents write, so that it must not be the checkout's own. */
const written = new Set(["checkpoints", "training", "demo", "node_modules", ".git"]);
/** What asks more of a machine than this test may. */
const programsOfElsewhere = new Set(["make", "docker", "podman", "gcloud", "kubectl", "terraform"]);
const folder = await scratchFolder("docs");

/** A folder that looks like the checkout; what is written into it stays there. */
function openCheckout(name: string): string {
  const place = join(folder, name.replaceAll("/", "-"));
  mkdirSync(place);
  for (const entry of readdirSync(checkout))
    if (!written.has(entry)) symlinkSync(join(checkout, entry), join(place, entry));
  return place;
}

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Runs commands as a reader would who types them in, with nothing of the caller's settings. */
async function runShell(commands: string, cwd: string): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("WIDEMERGE_"));
  const env = { ...Object.fromEntries(inherited), PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  const shell = spawn("sh", ["-euc", `exec 2>&1\n${commands}`], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  shell.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = await once(shell, "close");
  return { code, text: Buffer.concat(chunks).toString() };
}

/** Numbers, their units and the width of columns differ from machine to machine. */
function plain(text: string): string {
  return text
    .replaceAll(/\d[\d,.:]*(?: ?(?:[kKMGT]i?)?B\b)?/g, "#")
    .replaceAll(/[\s═─-]+/g, " ")
    .trim();
}

function assertPrinted(block: Block, text: string): void {
  const found = plain(text);
  for (const line of block.printed)
    if (line.trim() !== "…") assert.ok(found.includes(plain(line)), `${line}\nis not printed:\n${text}`);
}

/** Runs the blocks of a document one after the other: each goes on where the one before ended. */
function testDocument(document: string, blocks: readonly Block[]): void {
  describe(`the commands of ${document}`, { concurrency: 1 }, () => {
    const place = openCheckout(document);
    const preparation = preparations[document];
    if (preparation !== undefined)
      test("preparation", async () => assert.equal((await runShell(preparation, place)).code, 0));
    for (const block of blocks)
      test(`line ${block.line}`, async () => {
        const foreign = splitCommands(block.commands).find(([program = ""]) => programsOfElsewhere.has(program));
        assert.equal(foreign, undefined, "it cannot be run here: say above it where it is (see blocks.ts)");
        const { code, text } = await runShell(block.commands, place);
        assert.equal(code, block.marker.kind === "run" ? block.marker.exitCode : 0, `${block.commands}\n${text}`);
        assertPrinted(block, text);
      });
  });
}

describe("documents", { concurrency: 2 }, () => {
  for (const document of documents) {
    const blocks = listBlocks(document).filter(({ marker }) => marker.kind === "run");
    if (blocks.length > 0) testDocument(document, blocks);
  }
});

const makefile = readFileSync(join(checkout, "Makefile"), "utf8");

/** Targets of the Makefile, and what each asks for first. */
const targets = new Map(
  [...makefile.matchAll(/^([a-z-]+):([^#\n]*)/gm)].map(([, name = "", before = ""]) => [
    name,
    before.trim().split(/\s+/),
  ]),
);

function targetOf(words: readonly string[]): string {
  return words.slice(1).find((word) => !/^-|=/.test(word)) ?? "help";
}

/** What a command cannot be right without: known targets, subcommands, flags and files. */
function findFaults(words: readonly string[]): readonly string[] {
  const [program = "", subcommand = "", ...rest] = words;
  const faults = words
    .filter((word) => /^(bin|docs|k8s|prices|profiles|scripts|terraform)\/[\w./-]+$/.test(word))
    .filter((word) => !existsSync(join(checkout, word)))
    .map((word) => `no file ${word}`);
  if (program === "make" && !targets.has(targetOf(words))) faults.push(`no target ${targetOf(words)}`);
  if (!/(^|\/)widemerge$/.test(program) || subcommand.startsWith("-")) return faults;
  const command = allCommands.find((known) => known.name() === subcommand);
  if (command === undefined) return [...faults, `no command ${subcommand}`];
  const flags = new Set(["--help", ...command.options.map(({ long }) => long)]);
  const unknown = rest.filter((word) => word.startsWith("--")).map((word) => word.replace(/=.*/, ""));
  return [...faults, ...unknown.filter((flag) => !flags.has(flag)).map((flag) => `${subcommand} has no ${flag}`)];
}

/** The words that a test which runs this command has to contain. */
function mainWord(words: readonly string[]): string {
  const [program = "", subcommand = ""] = words;
  if (program === "make") return targetOf(words);
  return /(^|\/)(widemerge|kubectl|[\w-]+\.sh)$/.test(program) ? subcommand : program;
}

/** Whether a file runs a command, or a target that runs it first. */
function mentions(text: string, words: readonly string[]): boolean {
  const has = (word: string): boolean =>
    new RegExp(`(?<![\\w-])${word.replaceAll(/[.$]/g, "\\$&")}(?![\\w-])`).test(text);
  const word = mainWord(words);
  if (has(word)) return true;
  return words[0] === "make" && [...targets].some(([name, before]) => before.includes(word) && has(name));
}

for (const block of documents.flatMap(listBlocks))
  test(`${block.document}, line ${block.line}: commands, flags and files are known`, () => {
    const commands = splitCommands(block.commands);
    assert.deepEqual(commands.flatMap(findFaults), []);
    if (block.marker.kind !== "elsewhere") return;
    const { files } = block.marker;
    for (const file of files)
      assert.ok(/^(test\/|\.ci\/run$)/.test(file) && existsSync(join(checkout, file)), `no test ${file}`);
    const texts = files.map((file) => readFileSync(join(checkout, file), "utf8"));
    const missing = commands.filter((words) => !texts.some((text) => mentions(text, words)));
    assert.deepEqual(missing, [], `${files.join(", ")} say nothing of them`);
  });

test("console blocks without a language hold no commands that nobody runs", () => {
  for (const document of documents)
    assert.doesNotMatch(readDocument(document), /^\s*```(bash|shell|console|zsh)/m, `${document}: name the block sh`);
});
