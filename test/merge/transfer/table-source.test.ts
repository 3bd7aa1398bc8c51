import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { openSource, type TableSource } from "../../../src/merge/transfer/table-source.ts";
import { ReusableBuffer } from "../../../src/parquet/buffer-pool.ts";
import type { ColumnChunk } from "../../../src/parquet/footer.ts";
import { crc32c } from "../../../src/store/crc32c.ts";
import { openLocal } from "../../../src/store/local/file.ts";
import type { RemoteFile } from "../../../src/store/store.ts";
import { scratchFolder } from "../../support/folder.ts";

const root = await scratchFolder("table-source");

/** A file of some chunks with bytes between them, the first of them the key. */
interface Layout {
  readonly bytes: Uint8Array;
  readonly chunks: readonly ColumnChunk[];
}

const layouts: fc.Arbitrary<Layout> = fc
  .array(fc.record({ gap: fc.nat(5), size: fc.integer({ min: 1, max: 300 }) }), { minLength: 1, maxLength: 8 })
  .map((places) => {
    let at = 0;
    const chunks = places.map(({ gap, size }) => {
      const start = at + gap;
      at = start + size;
      return { start, size } as ColumnChunk;
    });
    return { bytes: randomBytes(at + 40), chunks };
  });

/** How the columns of a table are loaded: in batches, in an order of their own, some of them never. */
const orders = fc.tuple(layouts, fc.infiniteStream(fc.nat(1000)), fc.integer({ min: 1, max: 3 }), fc.boolean());

function planned(chunks: readonly ColumnChunk[], sameKeys: boolean): Parameters<typeof openSource>[0] {
  const columns = chunks.map((_, index) => ({ column: { firstLeaf: index, leaves: 1 }, name: String(index) }));
  const footer = { rowGroups: [{ rows: 10, chunks }] };
  // Of a table, only the places of its chunks are looked at.
  return { footer, key: columns[0]?.column, columns: columns.slice(1), proof: {}, plan: { sameKeys } } as never;
}

async function loadAll(source: TableSource, batches: readonly ColumnChunk[][], { bytes }: Layout): Promise<number> {
  const buffer = new ReusableBuffer();
  for (const batch of batches) {
    const read = batch.length > 1 ? await source.load(batch, buffer) : source.readEach(buffer);
    for (const chunk of batch)
      assert.deepEqual(
        Buffer.from(await read(chunk)),
        Buffer.from(bytes.subarray(chunk.start, chunk.start + chunk.size)),
      );
  }
  try {
    return await source.finish();
  } finally {
    await source.close();
  }
}

function cut(chunks: readonly ColumnChunk[], size: number): ColumnChunk[][] {
  return Array.from({ length: Math.ceil(chunks.length / size) }, (_, index) =>
    chunks.slice(index * size, (index + 1) * size),
  );
}

/** The bytes of a file as a network brings them: in pieces of any length; every call of `stream` or `read` is a request. */
function overNetwork(bytes: Uint8Array, requests: string[]): RemoteFile {
  return {
    isRemote: true,
    size: bytes.length,
    version: "1",
    async *stream(start, length) {
      requests.push(`stream ${start} ${length}`);
      for (let at = start; at < start + length; at += 37) yield bytes.subarray(at, Math.min(at + 37, start + length));
    },
    async read(start, length, into = new Uint8Array(length)) {
      requests.push(`read ${start} ${length}`);
      into.set(bytes.subarray(start, start + length));
      return into.subarray(0, length);
    },
    close: async () => undefined,
  };
}

test("a file of this machine: any order and any part of its chunks, and the sum is that of the whole file", async () => {
  const path = join(root, "local");
  await fc.assert(
    fc.asyncProperty(orders, async ([layout, picks, size, again]) => {
      writeFileSync(path, layout.bytes);
      const { chunks } = layout;
      const shuffled = chunks.map((chunk) => ({ chunk, by: picks.next().value })).toSorted((a, b) => a.by - b.by);
      const some = shuffled.filter(({ by }) => by % 4 > 0).map(({ chunk }) => chunk);
      // The key is read for the match and, as a column of the targets, once more among its neighbours.
      const batches = [...(again ? [chunks.slice(0, 1)] : []), ...cut(some, size)];
      const source = openSource(planned(chunks, false), await openLocal(path), new ReusableBuffer());
      assert.equal(await loadAll(source, batches, layout), crc32c(layout.bytes));
    }),
    { numRuns: 100 },
  );
});

test("an object: one request, whatever the order of its chunks, and the sum is that of the whole object", async () => {
  await fc.assert(
    fc.asyncProperty(orders, async ([layout, picks, size, inOrder]) => {
      const requests: string[] = [];
      const [key, ...others] = layout.chunks;
      assert.ok(key);
      const columns = inOrder
        ? others
        : others
            .map((chunk) => ({ chunk, by: picks.next().value }))
            .toSorted((a, b) => a.by - b.by)
            .map((it) => it.chunk);
      const table = planned([key, ...columns], false);
      const source = openSource(table, overNetwork(layout.bytes, requests), new ReusableBuffer());
      assert.equal(await loadAll(source, [[key], ...cut(columns, size)], layout), crc32c(layout.bytes));
      assert.equal(requests.length, 1);
      if (inOrder) assert.deepEqual(requests, [`stream 0 ${layout.bytes.length}`]);
    }),
    { numRuns: 100 },
  );
});
