/** Compression codecs of pages (Compression.md; parquet.thrift, enum CompressionCodec). */
import { createRequire } from "node:module";
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { PageError } from "../encoding/encoding.ts";
import { decodeSnappy, encodeLiterals, literalsSize } from "./snappy.ts";

export const Codec = { none: 0, snappy: 1, gzip: 2, lzo: 3, brotli: 4, lz4: 5, zstd: 6, lz4Raw: 7 } as const;

const require = createRequire(import.meta.url);
type Snappy = Pick<typeof import("snappy"), "compressSync">;
type Lz4 = Pick<typeof import("lz4-napi"), "compressSync" | "uncompressSync">;
/** Native libraries are loaded when the first page needs them. */
const loadSnappy = (): Snappy => require("snappy");
const loadLz4 = (): Lz4 => require("lz4-napi");

/** Whether pages of this codec can be unpacked and packed. LZO has no library that is kept. */
export function isKnownCodec(codec: number): boolean {
  return codec >= Codec.none && codec <= Codec.lz4Raw && codec !== Codec.lzo;
}

/**
 * Unpacks the body of a page into `out`, which has the length that the page's header states.
 * @throws PageError when the body is damaged.
 */
export function decompress(codec: number, body: Uint8Array, out: Uint8Array): void {
  if (codec === Codec.snappy) return decodeSnappy(body, out);
  const bytes = codec === Codec.none ? body : inflate(codec, body, out.length);
  if (bytes.length !== out.length)
    throw new PageError(`${bytes.length} bytes unpacked, the header states ${out.length}`);
  out.set(bytes);
}

function inflate(codec: number, body: Uint8Array, length: number): Uint8Array {
  const options = { maxOutputLength: Math.max(1, length) };
  try {
    switch (codec) {
      case Codec.gzip:
        return gunzipSync(body, options);
      case Codec.brotli:
        return brotliDecompressSync(body, options);
      case Codec.zstd:
        return zstdDecompressSync(body, options);
      case Codec.lz4Raw:
        return unpackLz4(body, length);
      case Codec.lz4:
        return unpackHadoopLz4(body, length) ?? unpackLz4(body, length);
      default:
        throw new PageError(`codec ${codec}`);
    }
  } catch (error) {
    if (error instanceof PageError) throw error;
    throw new PageError(`a page that cannot be unpacked (${error instanceof Error ? error.message : error})`);
  }
}

/** The library expects the unpacked length in four bytes before the block. */
function unpackLz4(block: Uint8Array, length: number): Uint8Array {
  const framed = Buffer.allocUnsafe(4 + block.length);
  framed.writeUInt32LE(length);
  framed.set(block, 4);
  return loadLz4().uncompressSync(framed);
}

/**
 * Codec LZ4 as Hadoop writes it: blocks behind their unpacked and packed lengths, big-endian. Undefined where the bytes are
 * not framed so: other writers stored a plain block under the same codec.
 */
function unpackHadoopLz4(body: Uint8Array, length: number): Uint8Array | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const parts: Uint8Array[] = [];
  let at = 0;
  let total = 0;
  while (at + 8 <= body.length) {
    const [unpacked, packed] = [view.getUint32(at), view.getUint32(at + 4)];
    if (at + 8 + packed > body.length || total + unpacked > length) return undefined;
    try {
      parts.push(unpackLz4(body.subarray(at + 8, at + 8 + packed), unpacked));
    } catch {
      return undefined;
    }
    total += unpacked;
    at += 8 + packed;
  }
  return at === body.length && total === length ? Buffer.concat(parts) : undefined;
}

/** The codec that pages are written in: the input's, except that Hadoop's LZ4, which is deprecated, becomes LZ4_RAW. */
export function outputCodec(codec: number): number {
  return codec === Codec.lz4 ? Codec.lz4Raw : codec;
}

/** Bytes that `compress` writes at most for a page of `length` bytes. */
export function compressBound(length: number): number {
  return literalsSize(length) + 1024 + Math.ceil(length / 64);
}

/** The bytes that `compress` writes for a page of `length` bytes, where it stores pages as they are: no more, no fewer. */
export function storedSize(codec: number, length: number, shrinks: boolean): number | undefined {
  if (codec === Codec.none) return length;
  return codec === Codec.snappy && !shrinks ? literalsSize(length) : undefined;
}

/**
 * Packs the body of a page into `out`, from `at` on; returns where it ends. `shrinks`: whether the input's pages did: those
 * that did not are stored in the codec's cheapest form.
 */
export function compress(codec: number, body: Uint8Array, shrinks: boolean, out: Uint8Array, at: number): number {
  if (codec === Codec.snappy) {
    const packed = shrinks ? loadSnappy().compressSync(body) : undefined;
    if (packed === undefined || packed.length >= body.length) return encodeLiterals(body, out, at);
    return append(packed, out, at);
  }
  return append(codec === Codec.none ? body : deflate(codec, body, shrinks), out, at);
}

function append(bytes: Uint8Array, out: Uint8Array, at: number): number {
  out.set(bytes, at);
  return at + bytes.length;
}

function deflate(codec: number, body: Uint8Array, shrinks: boolean): Uint8Array {
  switch (codec) {
    case Codec.gzip:
      return gzipSync(body, { level: shrinks ? 6 : 0 });
    case Codec.brotli:
      return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: shrinks ? 4 : 0 } });
    case Codec.zstd:
      return zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: shrinks ? 3 : 1 } });
    default:
      return loadLz4().compressSync(asBuffer(body)).subarray(4);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
