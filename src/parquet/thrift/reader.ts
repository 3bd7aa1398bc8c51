import {
  ThriftError,
  type ThriftField,
  type ThriftList,
  type ThriftMap,
  type ThriftStruct,
  ThriftType,
  type ThriftValue,
} from "./thrift.ts";

/** Parquet's own structures nest less than ten deep; more is an attack or garbage. */
const maximumDepth = 64;

/**
 * Reads compact values from `bytes`, starting at `at`. It never reads past the end. A tree of tiny values takes up to a
 * hundred times the memory of its bytes: what may be crafted is skipped, or read under a limit of values.
 */
export class ThriftReader {
  readonly bytes: Uint8Array;
  at: number;
  #values = 0;
  #mostValues = Number.POSITIVE_INFINITY;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /**
   * Does `read`, in which at most `most` values may be read or skipped, nested ones included.
   * @throws ThriftError at the first value beyond
   */
  limitValues<Result>(most: number, read: () => Result): Result {
    this.#mostValues = this.#values + most;
    const result = read();
    this.#mostValues = Number.POSITIVE_INFINITY;
    return result;
  }

  readStruct(depth = 0): ThriftStruct {
    const fields: ThriftField[] = [];
    this.visitFields((id, type) => {
      fields.push({ id, type, value: this.readValue(type, depth, true) });
    });
    return { fields };
  }

  /** Calls `visit` at each field's value; `visit` must consume it (`readValue`, `readListHeader` …). */
  visitFields(visit: (id: number, type: number) => void): void {
    let id = 0;
    for (;;) {
      const header = this.#byte();
      if (header === 0) return;
      const delta = header >> 4;
      id = delta === 0 ? Number(zigzag(this.#varint())) : id + delta;
      visit(id, header & 0x0f);
    }
  }

  readListHeader(): { readonly elementType: number; readonly size: number } {
    const header = this.#byte();
    const short = header >> 4;
    const size = short === 15 ? Number(this.#varint()) : short;
    // Every element takes at least one byte, so a size beyond the rest is a lie.
    if (size > this.bytes.length - this.at)
      throw new ThriftError(`a list of ${size} elements in ${this.bytes.length - this.at} bytes`);
    return { elementType: header & 0x0f, size };
  }

  readValue(type: number, depth = 0, inField = false): ThriftValue {
    this.#countValue(depth);
    switch (type) {
      case ThriftType.list:
      case ThriftType.set:
        return this.#readList(depth);
      case ThriftType.map:
        return this.#readMap(depth);
      case ThriftType.struct:
        return this.readStruct(depth + 1);
      default:
        return this.#readScalar(type, inField);
    }
  }

  #readScalar(type: number, inField: boolean): boolean | number | bigint | Uint8Array {
    switch (type) {
      case ThriftType.true:
      case ThriftType.false:
        // In a struct the type code is the value; in a collection the value has a byte of its own.
        return inField ? type === ThriftType.true : this.#byte() === ThriftType.true;
      case ThriftType.i8:
        return (this.#byte() << 24) >> 24;
      case ThriftType.i16:
      case ThriftType.i32:
        return Number(zigzag(this.#varint()));
      case ThriftType.i64:
        return zigzag(this.#varint());
      case ThriftType.double:
        return this.#take(8);
      case ThriftType.binary:
        return this.#take(Number(this.#varint()));
      case ThriftType.uuid:
        return this.#take(16);
      default:
        throw new ThriftError(`type code ${type}`);
    }
  }

  /** Moves behind a value without keeping anything of it. @throws ThriftError where `readValue` would */
  skipValue(type: number, depth = 0, inField = false): void {
    this.#countValue(depth);
    switch (type) {
      case ThriftType.list:
      case ThriftType.set: {
        const { elementType, size } = this.readListHeader();
        for (let index = 0; index < size; index += 1) this.skipValue(elementType, depth + 1);
        return;
      }
      case ThriftType.map: {
        const { size, keyType, valueType } = this.#readMapHeader();
        for (let index = 0; index < size; index += 1) {
          this.skipValue(keyType, depth + 1);
          this.skipValue(valueType, depth + 1);
        }
        return;
      }
      case ThriftType.struct:
        return this.visitFields((_, fieldType) => this.skipValue(fieldType, depth + 1, true));
      default:
        this.#readScalar(type, inField);
    }
  }

  #countValue(depth: number): void {
    if (depth > maximumDepth) throw new ThriftError(`nested deeper than ${maximumDepth}`);
    this.#values += 1;
    if (this.#values > this.#mostValues) throw new ThriftError("too many values in one structure");
  }

  #readList(depth: number): ThriftList {
    const { elementType, size } = this.readListHeader();
    const items: ThriftValue[] = [];
    for (let index = 0; index < size; index += 1) items.push(this.readValue(elementType, depth + 1));
    return { elementType, items };
  }

  #readMap(depth: number): ThriftMap {
    const { size, keyType, valueType } = this.#readMapHeader();
    const entries: [ThriftValue, ThriftValue][] = [];
    for (let index = 0; index < size; index += 1) {
      entries.push([this.readValue(keyType, depth + 1), this.readValue(valueType, depth + 1)]);
    }
    return { keyType, valueType, entries };
  }

  #readMapHeader(): { readonly size: number; readonly keyType: number; readonly valueType: number } {
    const size = Number(this.#varint());
    if (size === 0) return { size, keyType: 0, valueType: 0 };
    if (size > this.bytes.length - this.at) throw new ThriftError(`a map of ${size} entries`);
    const types = this.#byte();
    return { size, keyType: types >> 4, valueType: types & 0x0f };
  }

  #byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new ThriftError("ends too early");
    this.at += 1;
    return value;
  }

  #take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at)
      throw new ThriftError(`${length} bytes in ${this.bytes.length - this.at}`);
    const value = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return value;
  }

  #varint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ThriftError("a number of more than 64 bits");
  }
}

/** Thrift compact protocol, "Integer encoding". */
function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}
