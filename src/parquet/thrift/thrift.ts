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
