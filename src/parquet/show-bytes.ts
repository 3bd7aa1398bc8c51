import { isUtf8 } from "node:buffer";

/** What a message shows of one value, in characters or bytes: a value can be as large as its file. */
const mostCharacters = 100;
const mostBytes = 32;

/** Bytes of a file for a message: as text where they are UTF-8, otherwise as hexadecimal digits; cut if they are many. */
export function showText(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) return showBytes(bytes);
  // A character has at most four bytes.
  const text = Buffer.from(bytes.subarray(0, 4 * mostCharacters + 4)).toString();
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}… (${bytes.length} bytes)` : text;
}

/** Bytes of a file for a message as hexadecimal digits, "0x00ff", cut if they are many. */
export function showBytes(bytes: Uint8Array): string {
  const shown = `0x${Buffer.from(bytes.subarray(0, mostBytes)).toString("hex")}`;
  return bytes.length > mostBytes ? `${shown}… (${bytes.length} bytes)` : shown;
}
