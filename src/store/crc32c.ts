import { crc32c } from "@node-rs/crc32";

export { crc32c };

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

function shiftFor(length: number): number {
  let shift = one;
  for (let rest = length, bit = 0; rest > 0; rest = Math.floor(rest / 2), bit += 1)
    if (rest % 2 === 1) shift = multiply(powers[bit] ?? one, shift);
  return shift;
}

let lastLength = 0;
let lastShift = one;

/**
 * CRC32C of two pieces of bytes, from that of each and the length of the second: bytes that go into two sums are read
 * once. The CRC of A followed by B is that of A times x^(8·|B|), plus that of B (zlib's crc32_combine).
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
