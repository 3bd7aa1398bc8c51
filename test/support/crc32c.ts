/** CRC-32C (RFC 3720, appendix B.4), byte by byte with a table: independent of the library that the project uses. */
export function crc32c(bytes: Uint8Array): string {
  let value = 0xffffffff;
  for (let index = 0; index < bytes.length; index += 1)
    value = (value >>> 8) ^ (table[(value ^ (bytes[index] ?? 0)) & 0xff] ?? 0);
  return ((value ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}

/** The remainder of each byte, bit by bit. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});
