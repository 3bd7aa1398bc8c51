import { readFileSync } from "node:fs";
import { type LocatedFooter, type RangeReader, readFooter } from "../../src/parquet/footer-reader.ts";

/** Bytes in memory as a file: counts what is read of it, and reads nothing beyond its end. */
export class CountingReader implements RangeReader {
  readonly reads: { readonly start: number; readonly length: number }[] = [];
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  async read(start: number, length: number): Promise<Uint8Array> {
    this.reads.push({ start, length });
    if (start < 0 || start + length > this.bytes.length) throw new Error("read beyond the end");
    return this.bytes.subarray(start, start + length);
  }

  /** As `LocalFile.peek`: fewer bytes at the end. */
  peek = (start: number, length: number): Uint8Array => this.bytes.subarray(start, start + Math.max(0, length));
}

export interface FileInMemory extends LocatedFooter {
  readonly bytes: Buffer;
  readonly reader: CountingReader;
  /** The encoded FileMetaData. */
  readonly encoded: Buffer;
}

/** A Parquet file read whole, with its footer. */
export async function loadFile(path: string): Promise<FileInMemory> {
  const bytes = readFileSync(path);
  const reader = new CountingReader(bytes);
  const located = await readFooter(reader);
  return { ...located, bytes, reader, encoded: bytes.subarray(located.start, bytes.length - 8) };
}
