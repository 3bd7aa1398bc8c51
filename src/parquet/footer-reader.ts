import type { Scratch } from "./buffer-pool.ts";
import { encryptedMagic, type Footer, magic, parseFooter, trailerBytes } from "./footer.ts";

/** Positioned reads of one file or object. */
export interface RangeReader {
  readonly size: number;
  /** Exactly `length` bytes from `start`, into `into` when it is given. @throws when the file is shorter or storage fails. */
  read(start: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** Why a file cannot be used, in the reader's words. */
export class ParquetError extends Error {
  readonly fix: string;
  constructor(found: string, fix: string) {
    super(found);
    this.fix = fix;
  }
}

const extractAgain = "extract this table again";

/** A footer, and where in its file it starts (bytes). */
export interface LocatedFooter {
  readonly footer: Footer;
  readonly start: number;
}

/**
 * Reads the footer from the end of a file: one read when it fits the first guess, two otherwise.
 * @throws ParquetError when the file is not a readable Parquet file.
 */
export async function readFooter(reader: RangeReader, guess = 64 * 1024, scratch?: Scratch): Promise<LocatedFooter> {
  if (reader.size === 0) throw new ParquetError("0 bytes", extractAgain);
  if (reader.size < trailerBytes + magic.length)
    throw new ParquetError(`${reader.size} bytes, too few for Parquet`, extractAgain);
  const tailLength = Math.min(guess, reader.size);
  const tail = await reader.read(reader.size - tailLength, tailLength, scratch?.take(tailLength));
  const length = footerLength(tail, reader.size);
  const start = reader.size - trailerBytes - length;
  const inTail = tail.length - trailerBytes - length;
  const found = tail.subarray(Math.max(0, inTail), tail.length - trailerBytes);
  const bytes = inTail >= 0 ? found : Buffer.concat([await reader.read(start, -inTail), found]);
  try {
    // A copy: the parsed footer keeps views into these bytes, which must not keep the whole tail alive.
    return { footer: parseFooter(Uint8Array.prototype.slice.call(bytes)), start };
  } catch (error) {
    throw new ParquetError(
      `a footer that cannot be read (${error instanceof Error ? error.message : error})`,
      extractAgain,
    );
  }
}

function footerLength(tail: Uint8Array, size: number): number {
  const end = tail.subarray(tail.length - magic.length);
  if (Buffer.compare(end, encryptedMagic) === 0)
    throw new ParquetError("an encrypted footer", "decrypt the file first: encrypted pages cannot be merged");
  if (Buffer.compare(end, magic) !== 0)
    throw new ParquetError(
      `a last word ${JSON.stringify(Buffer.from(end).toString("latin1"))} where Parquet has "PAR1": not Parquet, or truncated`,
      extractAgain,
    );
  const length = Buffer.from(tail.buffer, tail.byteOffset, tail.length).readUInt32LE(tail.length - trailerBytes);
  if (length === 0 || length > size - trailerBytes - magic.length)
    throw new ParquetError(`a footer length of ${length} bytes in a file of ${size} bytes`, extractAgain);
  return length;
}
