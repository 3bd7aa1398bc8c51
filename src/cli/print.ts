/**
 * Everything that commands print. Each line is made visible here, so that no name from outside can move the cursor, forge a
 * line or hide; a test allows no other way to stdout or stderr.
 */
import { escapeJson, makeVisible } from "../model/visible.ts";

/** Prints lines, given without their line breaks, on stdout. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(joinLines(lines));
}

/** Prints lines on stderr, where a person watches. */
export function printNotices(lines: readonly string[]): void {
  process.stderr.write(joinLines(lines));
}

/** Prints one JSON document with exactly the given value in one line on stdout. */
export function printJson(value: unknown): void {
  printDocument(`${JSON.stringify(value)}\n`);
}

/** Prints a JSON document as it is laid out, with exactly its values, on stdout. */
export function printDocument(json: string): void {
  process.stdout.write(escapeJson(json));
}

/** Prints a document of this program as it is: a script, a Job manifest of the settings that the caller gave. */
export function printOwnText(text: string): void {
  process.stdout.write(text);
}

/** Lines as they are printed. */
export function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${makeVisible(line)}\n`).join("");
}
