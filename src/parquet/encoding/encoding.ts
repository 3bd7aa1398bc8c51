/** Encodings of values and levels (parquet.thrift, enum Encoding). */
export const Encoding = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const;

/** The bytes of a page are not what its header, its encoding or its codec says. */
export class PageError extends Error {}

/** Whether pages of this encoding can be read. */
export function isKnownEncoding(encoding: number): boolean {
  return Object.values<number>(Encoding).includes(encoding);
}

/** Whether values of this encoding are indices into the chunk's dictionary. */
export function isDictionaryEncoding(encoding: number): boolean {
  return encoding === Encoding.plainDictionary || encoding === Encoding.rleDictionary;
}
