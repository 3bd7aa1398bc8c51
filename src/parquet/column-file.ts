import { type Footer, magic, type NamedColumn } from "./footer.ts";
import { FooterBuilder } from "./footer-builder.ts";

/** One contiguous piece of a file: `bytes` lay at `start`. */
export interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Whether two lists of pieces hold the same bytes, piece by piece. */
export function samePieces(left: readonly Piece[], right: readonly Piece[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ bytes }, index) => {
      const other = right[index];
      return other !== undefined && Buffer.compare(bytes, other.bytes) === 0;
    })
  );
}

/**
 * A complete small Parquet file in memory that holds only `columns`, made of their encoded chunks (`pieces`, each
 * lying wholly in one piece). What only ARROW:schema or pandas metadata knew is left behind, so a reader sees the
 * Parquet types, the same for every input. Costs one copy of the pieces.
 */
export function wrapColumns(footer: Footer, columns: readonly NamedColumn[], pieces: readonly Piece[]): Buffer {
  const rowGroups = footer.rowGroups.map((group) => group.rows).filter((rows) => rows > 0);
  const builder = new FooterBuilder(rowGroups);
  const places = placePieces(pieces);
  for (const column of columns) {
    builder.addColumn(footer, column, (chunk) => {
      const place = places.find((entry) => chunk.start >= entry.start && chunk.start + chunk.size <= entry.end);
      if (place === undefined) throw new Error(`no piece holds the chunk of ${column.name}`);
      return place.delta;
    });
  }
  return Buffer.concat([magic, ...pieces.map((piece) => piece.bytes), builder.build("widemerge")]);
}

function placePieces(pieces: readonly Piece[]): { start: number; end: number; delta: number }[] {
  let at = magic.length;
  return pieces.map(({ start, bytes }) => {
    const place = { start, end: start + bytes.length, delta: at - start };
    at += bytes.length;
    return place;
  });
}
