/** A table that is no sound Parquet file: found before the merge, whatever is wrong with it. */
import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { field, withFields } from "../../src/parquet/thrift/thrift.ts";
import { checkRefusal, type Refusal } from "./refusal.ts";
import { chunkPlace, editChunk, editFooter, editItem, editPage, makeFolder, makeSample, overwrite } from "./support.ts";

const table = "pair_return_001_audusd";
const i32 = 5;
const i64 = 6;
const binary = 8;
const struct = 12;

/** A refusal of `table` for one reason. */
function refuse(found: RegExp, spoil: (path: string) => void, what = "damaged or unreadable"): Refusal {
  const problem = new RegExp(
    `^${table} \\| ${what} \\| .*${found.source}.* \\| (extract this table again|decrypt)`,
    "s",
  );
  return { spoil: (checkpoint) => spoil(join(checkpoint, `${table}.parquet`)), problems: [problem] };
}

const noParquet = "not a readable Parquet file";
const chunk2 = (path: string): { start: number; size: number } => chunkPlace(path, 2);

const refusals: Readonly<Record<string, Refusal>> = {
  "has zero bytes": refuse(/0 bytes/, (path) => truncateSync(path, 0), noParquet),
  "has a few bytes": refuse(/11 bytes, too few/, (path) => truncateSync(path, 11), noParquet),
  "is truncated in its data": refuse(/not Parquet, or truncated/, (path) => truncateSync(path, 9000), noParquet),
  "is truncated by one byte": refuse(
    /not Parquet, or truncated/,
    (path) => truncateSync(path, readFileSync(path).length - 1),
    noParquet,
  ),
  "is not Parquet": refuse(
    /0x682c620a as the last 4 bytes/,
    (path) => writeFileSync(path, "interval_time,b\n1,2\nwith,b\n"),
    noParquet,
  ),
  "states a footer larger than the file": refuse(
    /footer length of 1000000000 bytes/,
    (path) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(1e9);
      overwrite(path, readFileSync(path).length - 8, length);
    },
    noParquet,
  ),
  "has garbage in its footer": refuse(
    /a footer that cannot be read/,
    (path) => editFooter(path, () => ({ fields: [{ id: 3, type: 14, value: Buffer.alloc(300, 0xa5) }] })),
    noParquet,
  ),
  "has an encrypted footer": refuse(
    /an encrypted footer/,
    (path) => overwrite(path, readFileSync(path).length - 4, Buffer.from("PARE")),
    noParquet,
  ),
  "has an encrypted column under a plain footer": refuse(/encrypted columns w5_lag0/, (path) =>
    editChunk(
      path,
      1,
      {},
      { 8: { type: struct, value: { fields: [{ id: 1, type: struct, value: { fields: [] } }] } } },
    ),
  ),
  "names its encryption in a plain footer": refuse(/encrypted columns/, (path) =>
    editFooter(path, (metadata) =>
      withFields(metadata, {
        8: { type: struct, value: { fields: [{ id: 1, type: struct, value: { fields: [] } }] } },
      }),
    ),
  ),
  "has pages in another file": refuse(/pages lie in another file: w5_lag0/, (path) =>
    editChunk(path, 1, {}, { 1: { type: binary, value: Buffer.from("other.parquet") } }),
  ),
  "states rows that its row groups do not hold": refuse(/301 rows stated, its row groups hold 300/, (path) =>
    editFooter(path, (metadata) => withFields(metadata, { 3: { type: i64, value: 301n } })),
  ),
  "states a row group with other rows than its columns": refuse(/300 values for 299 rows/, (path) =>
    editFooter(path, (metadata) => {
      const group = (rows: bigint) => (item: Parameters<typeof withFields>[0]) =>
        withFields(item, { 3: { type: i64, value: rows } });
      return editItem(withFields(metadata, { 3: { type: i64, value: 299n } }), 4, 0, group(299n));
    }),
  ),
  "states another number of values for a column": refuse(
    /w5_lag0 of row group 0 with 299 values for 300 rows/,
    (path) => editChunk(path, 1, { 5: { type: i64, value: 299n } }),
  ),
  "states a negative number of rows": refuse(/-300 rows/, (path) =>
    editFooter(path, (metadata) =>
      editItem(withFields(metadata, { 3: { type: i64, value: -300n } }), 4, 0, (group) =>
        withFields(group, { 3: { type: i64, value: -300n } }),
      ),
    ),
  ),
  "places a chunk beyond its data": refuse(/w5_lag0 of row group 0 at bytes .* outside the data/, (path) =>
    editChunk(path, 1, { 9: { type: i64, value: 10_000_000n }, 11: undefined }),
  ),
  "places a chunk before its data": refuse(
    /w5_lag0 (of row group 0 at bytes 0.*outside the data|and interval_time share bytes)/,
    (path) => editChunk(path, 1, { 9: { type: i64, value: 0n }, 11: undefined }),
  ),
  "places a chunk at a negative offset": refuse(
    /w5_lag0 (of row group 0 at bytes -500.*outside the data|and interval_time share bytes)/,
    (path) => editChunk(path, 1, { 9: { type: i64, value: -500n } }),
  ),
  "states an offset of more than 53 bits": refuse(
    /data_page_offset/,
    (path) => editChunk(path, 1, { 9: { type: i64, value: 2n ** 62n } }),
    noParquet,
  ),
  "has chunks that overlap": refuse(/w5_lag0 and .* share bytes from/, (path) => {
    const { start } = chunk2(path);
    editChunk(path, 1, { 9: { type: i64, value: BigInt(start) }, 11: undefined });
  }),
  "states a size that ends within a page": refuse(/w5_lag0.*page 0: .* beyond the chunk's end/, (path) =>
    editChunk(path, 1, { 7: { type: i64, value: BigInt(chunkPlace(path, 1).size - 7) } }),
  ),
  "has fewer chunks than columns": refuse(/column chunks for .* columns/, (path) =>
    editFooter(path, (metadata) =>
      editItem(metadata, 4, 0, (group) => {
        const list = field(group, 1);
        assert.ok(typeof list === "object" && "items" in list);
        return withFields(group, { 1: { type: 9, value: { ...list, items: list.items.slice(1) } } });
      }),
    ),
  ),
  "states another type for a chunk than in its schema": refuse(/physical type 2 where the schema has 5/, (path) =>
    editChunk(path, 1, { 1: { type: i32, value: 2 } }),
  ),
  "has garbage in a page header": refuse(/w5_lag0, row group 0: page 0: a header that cannot be read/, (path) =>
    overwrite(path, chunkPlace(path, 1).start, Buffer.alloc(24, 0xff)),
  ),
  "has a page of another compressed size": refuse(/w5_lag0, row group 0: page/, (path) =>
    editPage(path, 1, (header) => withFields(header, { 3: { type: i32, value: Number(field(header, 3)) - 9 } })),
  ),
  "has a page that runs past its chunk": refuse(/w5_lag0, row group 0: page 0: .* beyond the chunk's end/, (path) =>
    editPage(path, 1, (header) => withFields(header, { 3: { type: i32, value: Number(field(header, 3)) + 9 } })),
  ),
  "has a page of a negative size": refuse(/w5_lag0, row group 0: page 0/, (path) =>
    editPage(path, 1, (header) => withFields(header, { 3: { type: i32, value: -Number(field(header, 3)) } })),
  ),
  "has a page with a wrong Snappy length": refuse(/page 0: Snappy states \d+ bytes, the header \d+/, (path) =>
    editPage(path, 1, (header) => withFields(header, { 2: { type: i32, value: Number(field(header, 2)) + 1 } })),
  ),
  "has a page with another number of values": refuse(/pages hold 299 values, the footer says 300/, (path) =>
    editPage(path, 1, (header) => {
      const data = field(header, 5);
      assert.ok(typeof data === "object" && "fields" in data);
      return withFields(header, { 5: { type: struct, value: withFields(data, { 1: { type: i32, value: 299 } }) } });
    }),
  ),
};

describe("a table is refused that", { concurrency: 2 }, () => {
  const samples = makeFolder({ after });
  before(() => makeSample(samples, { tables: 6, rows: 300 }));
  for (const [name, refusal] of Object.entries(refusals))
    it(name, (context) => checkRefusal(context, join(samples, "audusd"), refusal).then(() => undefined));

  it("is one of many that are refused for reasons of their own, all in one run", async (context) => {
    const names = Object.keys(refusals).slice(0, 3);
    const tables = ["csi_strength_001_audusd", "mkt_return_001_audusd", "targets"];
    const spoilers = names.map((name) => refusals[name]?.spoil);
    await checkRefusal(context, join(samples, "audusd"), {
      spoil: (checkpoint) => {
        for (const [index, other] of tables.entries()) {
          spoilers[index]?.(checkpoint, "");
          writeFileSync(join(checkpoint, `${other}.parquet`), readFileSync(join(checkpoint, `${table}.parquet`)));
        }
        truncateSync(join(checkpoint, "var_ratio_001_audusd.parquet"), 500);
      },
      problems: [
        /^csi_strength_001_audusd \| .* \| 0 bytes/,
        /^mkt_return_001_audusd \| /,
        /^targets \| /,
        new RegExp(`^${table} \\| `),
        /^var_ratio_001_audusd \| .*truncated/,
      ],
    });
  });
});
