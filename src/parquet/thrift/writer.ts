import { type ThriftList, type ThriftMap, type ThriftStruct, ThriftType, type ThriftValue } from "./thrift.ts";

/** Writes compact values into a buffer that grows; `bytes()` is what was written so far. */
export class ThriftWriter {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  writeStruct(struct: ThriftStruct): void {
    let last = 0;
    for (const field of struct.fields) {
      this.writeFieldHeader(field.id, field.type, last);
      // A boolean field is its type code.
      if (typeof field.value !== "boolean") this.writeValue(field.type, field.value);
      last = field.id;
    }
    this.#byte(0);
  }

  /** Header of a field, for writers that stream the value themselves. `last` is the id of the field before it, 0 at first. */
  writeFieldHeader(id: number, type: number, last: number): void {
    const delta = id - last;
    if (delta > 0 && delta <= 15) return this.#byte((delta << 4) | type);
    this.#byte(type);
    this.#varint(unzigzag(BigInt(id)));
  }

  writeListHeader(elementType: number, size: number): void {
    if (size < 15) return this.#byte((size << 4) | elementType);
    this.#byte(0xf0 | elementType);
    this.#varint(BigInt(size));
  }

  /** A struct's stop byte. */
  writeStop(): void {
    this.#byte(0);
  }

  /** Bytes that are compact protocol already. */
  writeRaw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  writeValue(type: number, value: ThriftValue): void {
    if (typeof value === "boolean") return this.#byte(value ? ThriftType.true : ThriftType.false);
    if (typeof value === "bigint") return this.#varint(unzigzag(value));
    if (typeof value === "number")
      return type === ThriftType.i8 ? this.#byte(value & 0xff) : this.#varint(unzigzag(BigInt(value)));
    if (value instanceof Uint8Array) {
      if (type === ThriftType.binary) this.#varint(BigInt(value.length));
      return this.writeRaw(value);
    }
    if ("fields" in value) return this.writeStruct(value);
    if ("items" in value) return this.#writeList(value);
    this.#writeMap(value);
  }

  #writeList(list: ThriftList): void {
    this.writeListHeader(list.elementType, list.items.length);
    for (const item of list.items) this.writeValue(list.elementType, item);
  }

  #writeMap(map: ThriftMap): void {
    this.#varint(BigInt(map.entries.length));
    if (map.entries.length === 0) return;
    this.#byte((map.keyType << 4) | map.valueType);
    for (const [key, value] of map.entries) {
      this.writeValue(map.keyType, key);
      this.writeValue(map.valueType, value);
    }
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  #varint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Thrift compact protocol, "Integer encoding". */
function unzigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
}
