/**
 * Thrift compact protocol as a tree that loses nothing: field order, integer widths and unknown fields survive a
 * round trip byte for byte, so a column chunk's metadata can be moved without being understood or altered.
 * Rules: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** Compact type codes (specification, "Struct encoding"). */
export const ThriftType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
} as const;

export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftList | ThriftMap | ThriftStruct;

export interface ThriftField {
  readonly id: number;
  readonly type: number;
  readonly value: ThriftValue;
}

export interface ThriftStruct {
  readonly fields: readonly ThriftField[];
}

export interface ThriftList {
  readonly elementType: number;
  readonly items: readonly ThriftValue[];
}

export interface ThriftMap {
  readonly keyType: number;
  readonly valueType: number;
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
}

/** The bytes are not the compact protocol, or end too early. */
export class ThriftError extends Error {}

/** Parquet's own structures nest less than ten deep; more is an attack or garbage. */
const maximumDepth = 64;

/** Reads compact values from `bytes`, starting at `at`; never reads past the end, never allocates more than was read. */
export class ThriftReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
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
      const header = this.byte();
      if (header === 0) return;
      const delta = header >> 4;
      id = delta === 0 ? Number(zigzag(this.varint())) : id + delta;
      visit(id, header & 0x0f);
    }
  }

  readListHeader(): { readonly elementType: number; readonly size: number } {
    const header = this.byte();
    const short = header >> 4;
    const size = short === 15 ? Number(this.varint()) : short;
    // Every element takes at least one byte, so a size beyond the rest is a lie.
    if (size > this.bytes.length - this.at)
      throw new ThriftError(`a list of ${size} elements in ${this.bytes.length - this.at} bytes`);
    return { elementType: header & 0x0f, size };
  }

  readValue(type: number, depth = 0, inField = false): ThriftValue {
    if (depth > maximumDepth) throw new ThriftError(`nested deeper than ${maximumDepth}`);
    switch (type) {
      case ThriftType.true:
      case ThriftType.false:
        // In a struct the type code is the value; in a collection the value has a byte of its own.
        return inField ? type === ThriftType.true : this.byte() === ThriftType.true;
      case ThriftType.i8:
        return (this.byte() << 24) >> 24;
      case ThriftType.i16:
      case ThriftType.i32:
        return Number(zigzag(this.varint()));
      case ThriftType.i64:
        return zigzag(this.varint());
      case ThriftType.double:
        return this.take(8);
      case ThriftType.binary:
        return this.take(Number(this.varint()));
      case ThriftType.list:
      case ThriftType.set:
        return this.readList(depth);
      case ThriftType.map:
        return this.readMap(depth);
      case ThriftType.struct:
        return this.readStruct(depth + 1);
      case ThriftType.uuid:
        return this.take(16);
      default:
        throw new ThriftError(`type code ${type}`);
    }
  }

  private readList(depth: number): ThriftList {
    const { elementType, size } = this.readListHeader();
    const items: ThriftValue[] = [];
    for (let index = 0; index < size; index += 1) items.push(this.readValue(elementType, depth + 1));
    return { elementType, items };
  }

  private readMap(depth: number): ThriftMap {
    const size = Number(this.varint());
    if (size === 0) return { keyType: 0, valueType: 0, entries: [] };
    if (size > this.bytes.length - this.at) throw new ThriftError(`a map of ${size} entries`);
    const types = this.byte();
    const entries: [ThriftValue, ThriftValue][] = [];
    for (let index = 0; index < size; index += 1) {
      entries.push([this.readValue(types >> 4, depth + 1), this.readValue(types & 0x0f, depth + 1)]);
    }
    return { keyType: types >> 4, valueType: types & 0x0f, entries };
  }

  private byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new ThriftError("ends too early");
    this.at += 1;
    return value;
  }

  private take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at)
      throw new ThriftError(`${length} bytes in ${this.bytes.length - this.at}`);
    const value = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return value;
  }

  private varint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ThriftError("a number of more than 64 bits");
  }
}

/** Writes compact values into a buffer that grows; `bytes()` is what was written so far. */
export class ThriftWriter {
  private buffer = Buffer.allocUnsafe(512);
  private length = 0;

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  writeStruct(struct: ThriftStruct): void {
    let last = 0;
    for (const field of struct.fields) {
      this.writeFieldHeader(field.id, field.type, last);
      // A boolean field is its type code.
      if (typeof field.value !== "boolean") this.writeValue(field.type, field.value);
      last = field.id;
    }
    this.byte(0);
  }

  /** Header of a field, for writers that stream the value themselves. `last` is the id of the field before it, 0 at first. */
  writeFieldHeader(id: number, type: number, last: number): void {
    const delta = id - last;
    if (delta > 0 && delta <= 15) return this.byte((delta << 4) | type);
    this.byte(type);
    this.varint(unzigzag(BigInt(id)));
  }

  writeListHeader(elementType: number, size: number): void {
    if (size < 15) return this.byte((size << 4) | elementType);
    this.byte(0xf0 | elementType);
    this.varint(BigInt(size));
  }

  /** A struct's stop byte. */
  writeStop(): void {
    this.byte(0);
  }

  /** Bytes that are compact protocol already. */
  writeRaw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  writeValue(type: number, value: ThriftValue): void {
    if (typeof value === "boolean") return this.byte(value ? ThriftType.true : ThriftType.false);
    if (typeof value === "bigint") return this.varint(unzigzag(value));
    if (typeof value === "number")
      return type === ThriftType.i8 ? this.byte(value & 0xff) : this.varint(unzigzag(BigInt(value)));
    if (value instanceof Uint8Array) {
      if (type === ThriftType.binary) this.varint(BigInt(value.length));
      return this.writeRaw(value);
    }
    if ("fields" in value) return this.writeStruct(value);
    if ("items" in value) return this.writeList(value);
    this.writeMap(value);
  }

  private writeList(list: ThriftList): void {
    this.writeListHeader(list.elementType, list.items.length);
    for (const item of list.items) this.writeValue(list.elementType, item);
  }

  private writeMap(map: ThriftMap): void {
    this.varint(BigInt(map.entries.length));
    if (map.entries.length === 0) return;
    this.byte((map.keyType << 4) | map.valueType);
    for (const [key, value] of map.entries) {
      this.writeValue(map.keyType, key);
      this.writeValue(map.valueType, value);
    }
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length] = value;
    this.length += 1;
  }

  private varint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + count));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/** The value of field `id`, or undefined. */
export function field(struct: ThriftStruct | undefined, id: number): ThriftValue | undefined {
  return struct?.fields.find((candidate) => candidate.id === id)?.value;
}

/** A struct with some fields replaced (a value), added (`[type, value]` when absent) or left out (undefined). */
export function withFields(
  struct: ThriftStruct,
  changes: Readonly<Record<number, { readonly type: number; readonly value: ThriftValue } | undefined>>,
): ThriftStruct {
  const kept = struct.fields.filter((entry) => !(entry.id in changes));
  const added = Object.entries(changes).flatMap(([id, change]) =>
    change === undefined ? [] : [{ id: Number(id), ...change }],
  );
  return { fields: [...kept, ...added].sort((left, right) => left.id - right.id) };
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

function unzigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}
