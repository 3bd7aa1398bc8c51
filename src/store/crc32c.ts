/** Checksums of files: CRC-32C, the only one that Cloud Storage knows of every object. */
import { crc32c } from "@node-rs/crc32";
import { MiB } from "../model/units.ts";
import type { OpenFile } from "./store.ts";

export { crc32c };

const blockBytes = MiB;

/** CRC32C of a whole file, read in order; 8 hexadecimal digits. */
export async function checksumOf(opened: OpenFile): Promise<string> {
  let value = 0;
  for await (const bytes of readInOrder(opened)) value = crc32c(bytes, value);
  return formatCrc32c(value);
}

async function* readInOrder(opened: OpenFile): AsyncGenerator<Uint8Array> {
  if (opened.isRemote) return yield* opened.stream(0, opened.size);
  for (let at = 0; at < opened.size; at += blockBytes)
    yield await opened.read(at, Math.min(blockBytes, opened.size - at));
}

/** The polynomial of CRC-32C (RFC 3720, section 12.1), bits reversed. */
const polynomial = 0x82f63b78;
const one = 0x80000000;

/** Product of two polynomials over GF(2), modulo the CRC's; bit 31 is the coefficient of x⁰. */
function multiply(left: number, right: number): number {
  let product = 0;
  let factor = right;
  for (let bit = 31; bit >= 0; bit -= 1) {
    if ((left >>> bit) & 1) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ polynomial : factor >>> 1;
  }
  return product >>> 0;
}

/** x to the power of 8 · 2ⁿ, for every n that a length can have. */
const powers: number[] = [];
for (let power = 0x00800000; powers.length < 53; power = multiply(power, power)) powers.push(power);

/** x to the power of 8 · `length`. */
function shiftFor(length: number): number {
  return powers.reduce((shift, power, bit) => (hasBit(length, bit) ? multiply(power, shift) : shift), one);
}

/** Bit `bit` of a whole number of up to 53 bits. */
function hasBit(number: number, bit: number): boolean {
  return Math.floor(number / 2 ** bit) % 2 === 1;
}

let lastLength = 0;
let lastShift = one;

/**
 * CRC32C of two byte strings one after the other, from the CRC of each and the length of the second, so that bytes that
 * go into two checksums are read once. The CRC of A followed by B is that of A times x^(8·|B|), plus that of B (zlib's
 * crc32_combine).
 */
export function combineCrc32c(first: number, second: number, secondLength: number): number {
  if (secondLength !== lastLength) {
    lastShift = shiftFor(secondLength);
    lastLength = secondLength;
  }
  return (multiply(lastShift, first) ^ second) >>> 0;
}

/** As manifests write it: 8 hexadecimal digits. */
export function formatCrc32c(value: number): string {
  return value.toString(16).padStart(8, "0");
}
