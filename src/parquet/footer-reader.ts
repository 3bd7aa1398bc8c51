import { formatNumber } from "../model/units.ts";
import type { ReusableBuffer } from "./buffer-pool.ts";
import { encryptedMagic, type Footer, magic, trailerBytes } from "./footer.ts";
import { parseFooter } from "./footer-parser.ts";
import { showBytes } from "./show-bytes.ts";

/** Positioned reads of one file or object. */
export interface RangeReader {
  readonly size: number;
  /** Exactly `length` bytes from `start`, into `into` when it is given. @throws when the file is shorter or storage fails. */
  read(start: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** Why a file is not a readable Parquet file, and what to do. */
export class ParquetError extends Error {
  readonly fix: string;
  constructor(found: string, fix: string) {
    super(found);
    this.fix = fix;
  }
}

const extractAgain = "extract this table again";

/** A footer and its offset in the file, in bytes. */
export interface LocatedFooter {
  readonly footer: Footer;
  readonly start: number;
}

/**
 * Reads the footer from the end of a file: one read of `guess` bytes when it fits, two reads otherwise. `buffer` takes the
 * bytes of the first.
 * @throws ParquetError when the file is not a readable Parquet file
 */
export async function readFooter(
  reader: RangeReader,
  guess = 64 * 1024,
  buffer?: ReusableBuffer,
): Promise<LocatedFooter> {
  const { size } = reader;
  if (size === 0) throw new ParquetError("0 bytes", extractAgain);
  if (size < trailerBytes + magic.length)
    throw new ParquetError(`${formatNumber(size, "byte")}, too few for Parquet`, extractAgain);
  const lastLength = Math.min(guess, size);
  const last = await reader.read(size - lastLength, lastLength, buffer?.take(lastLength));
  const length = footerLength(last, size);
  const start = size - trailerBytes - length;
  const offset = lastLength - trailerBytes - length;
  const read = last.subarray(Math.max(0, offset), lastLength - trailerBytes);
  const bytes = offset >= 0 ? read : Buffer.concat([await reader.read(start, -offset), read]);
  try {
    // A copy: the parsed footer keeps views of these bytes, which must not keep the whole end of the file alive.
    return { footer: parseFooter(Uint8Array.prototype.slice.call(bytes)), start };
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new ParquetError(`a footer that cannot be read (${reason})`, extractAgain);
  }
}

/** The length of the footer, from the last bytes of a file of `size` bytes. */
function footerLength(last: Uint8Array, size: number): number {
  const word = last.subarray(last.length - magic.length);
  if (Buffer.compare(word, encryptedMagic) === 0)
    throw new ParquetError("an encrypted footer", "decrypt the file first: encrypted pages cannot be merged");
  if (Buffer.compare(word, magic) !== 0)
    throw new ParquetError(
      `${showBytes(word)} as the last 4 bytes where Parquet has "PAR1": not Parquet, or truncated`,
      extractAgain,
    );
  const length = Buffer.from(last.buffer, last.byteOffset, last.length).readUInt32LE(last.length - trailerBytes);
  if (length === 0 || length > size - trailerBytes - magic.length)
    throw new ParquetError(`a footer length of ${length} bytes in a file of ${size} bytes`, extractAgain);
  return length;
}
