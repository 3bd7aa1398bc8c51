/**
 * YAML that a person wrote, or anything else that was named by mistake: a device, a password file, a file that is made to
 * take all memory. What is wrong is told by line and column, never with the file's own text.
 */
import { isUtf8 } from "node:buffer";
import { type Document, isScalar, LineCounter, parseDocument, visit } from "yaml";

/** Bytes of a YAML file: room for the new names of 17,000 columns. */
export const mostYamlBytes = 2 ** 20;

/** Why a text is no YAML, and where. */
export interface YamlError {
  readonly line: number;
  readonly column: number;
  readonly found: string;
}

/** The value of a YAML file, or what is wrong with it: as a whole, or in its lines. */
export type YamlContent =
  | { readonly value: unknown }
  | { readonly unusable: string }
  | { readonly errors: readonly YamlError[] };

/** Reads the first bytes of a YAML file; `bytes` has one more than `mostYamlBytes` where the file is larger. */
export function readYaml(bytes: Uint8Array): YamlContent {
  if (bytes.length > mostYamlBytes) return { unusable: "it is larger than 1 MiB" };
  if (!isUtf8(bytes) || bytes.includes(0)) return { unusable: "it is not text" };
  const lines = new LineCounter();
  try {
    // The library compares every name of a map with every other one.
    const text = new TextDecoder().decode(bytes);
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const errors = [
      ...document.errors.map(({ code, pos }) => ({ at: pos[0], found: code.toLowerCase().replaceAll("_", " ") })),
      ...findRepeatedNames(document),
    ];
    if (errors.length === 0) return { value: document.toJS({ maxAliasCount: 100 }) };
    return {
      errors: errors.map(({ at, found }) => ({ line: lines.linePos(at).line, column: lines.linePos(at).col, found })),
    };
  } catch (error) {
    if (error instanceof RangeError) return { unusable: "it is nested too deeply" };
    // Aliases that would multiply, or that name nothing.
    if (error instanceof ReferenceError) return { unusable: "its aliases cannot be resolved" };
    throw error;
  }
}

/** Names that a map has twice. */
function findRepeatedNames(document: Document.Parsed): { readonly at: number; readonly found: string }[] {
  const repeated: { at: number; found: string }[] = [];
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) repeated.push({ at: key.range?.[0] ?? 0, found: "Map keys must be unique" });
        seen.add(key.value);
      }
    },
  });
  return repeated;
}
