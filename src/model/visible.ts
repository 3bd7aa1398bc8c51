/**
 * Text from outside (names of tables, columns, files and folders, values of keys, messages of servers) as it can be shown:
 * a terminal acts on control characters, and others hide, reorder or break what a person reads.
 */

/**
 * Unicode categories Cc (C0, DEL, C1), Cf (bidirectional controls, zero-width characters), Cs (unpaired surrogates), Zl and
 * Zp (line and paragraph separators), and all other characters that are drawn as nothing.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text as one line in which every hidden character is written as in JSON: "\n", "\u001b"; beyond U+FFFF "\u{e0041}". */
export function makeVisible(text: string): string {
  return text.replace(hidden, (character) => shortEscapes[character] ?? escapeCharacter(character));
}

function escapeCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}

/** JSON with the same values, in which no hidden character is left but the line breaks between values. */
export function escapeJson(json: string): string {
  return json.replace(hidden, (character) => (character === "\n" ? character : escapeUnits(character)));
}

/** JSON escapes UTF-16 code units. */
function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, unit) => escapeCharacter(character.charAt(unit))).join("");
}
