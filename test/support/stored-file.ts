/** Columns of a file as they are stored: schema elements and bytes. */
import type { SchemaElement } from "../../src/parquet/footer.ts";
import { ColumnDecoder } from "../../src/parquet/gather/compare.ts";
import type { PlainValues } from "../../src/parquet/gather/values.ts";
import { ThriftReader } from "../../src/parquet/thrift/reader.ts";
import { loadFile } from "./bytes.ts";

export interface ReadColumn {
  readonly elements: readonly SchemaElement[];
  /** For each leaf the value of each row, as hexadecimal digits; null where it has none. Not for lists. */
  readonly leaves: readonly (readonly (string | null)[])[];
}

/** All columns of a file by name. */
export async function readStored(path: string): Promise<Map<string, ReadColumn>> {
  const { footer, bytes } = await loadFile(path);
  const decoder = new ColumnDecoder();
  const columns = footer.columns.map((column) => {
    const bytesOf = ({ start, size }: { start: number; size: number }) => bytes.subarray(start, start + size);
    const leaves = decoder.decode({ footer, column, bytesOf }).map(({ rows, positions, values }) =>
      Array.from({ length: rows }, (_, row) => {
        const at = positions === undefined ? row : positions[row];
        return at === undefined || positions?.[row + 1] === at ? null : hexOf(values, at);
      }),
    );
    return [column.name, { elements: column.elements, leaves }] as const;
  });
  return new Map(columns);
}

function hexOf(values: PlainValues, index: number): string {
  const [from, end] =
    values.kind === "fixed"
      ? [index * values.width, (index + 1) * values.width]
      : [(values.offsets[index] ?? 0) + 4, values.offsets[index + 1] ?? 0];
  return Buffer.from(values.bytes.subarray(from, end)).toString("hex");
}

/** The fields of an element that a merge has to keep: all but name and repetition. */
export function annotationsOf({ raw }: SchemaElement): unknown {
  return new ThriftReader(raw).readStruct().fields.filter(({ id }) => id !== 3 && id !== 4);
}
