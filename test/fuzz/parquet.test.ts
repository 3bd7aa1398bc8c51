/**
 * Mutated Parquet files: each is refused by name, or merged into what an independent reader, DuckDB, finds when it reads
 * the mutated inputs and joins them plainly.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ExitCode } from "../../src/model/exit-code.ts";
import { PageType, readPages } from "../../src/parquet/page/header.ts";
import { loadFile } from "../support/bytes.ts";
import { copyTo, query } from "../support/duckdb.ts";
import { scratchFolder } from "../support/folder.ts";
import { endNamed, fuzz, mutateJson } from "../support/fuzz.ts";
import { mergeHere, verifyHere } from "../support/in-process.ts";
import { mutateParquet } from "../support/mutate-parquet.ts";

const folder = await scratchFolder("fuzz-parquet");
const regressions = fileURLToPath(new URL("./regressions/", import.meta.url));

/** Columns of most kinds; `k` is the key. */
const values = `k * 1.5 as d, k::integer % 7 as i, 'text ' || (k % 5) as s, case when k % 3 = 0 then null else k::smallint end as n,
  k % 2 = 0 as b, (k / 8)::decimal(12, 2) as m, timestamp '2026-01-01' + interval (k) hour as t, case when k % 4 = 0 then null else [k, k + 1] end as l`;
/** The same keys in another order, fewer, and others: these tables are aligned. */
const tables: Readonly<Record<string, readonly [select: string, options: string]>> = {
  targets: ["select range::bigint as k, range % 10 as y from range(40)", "codec 'snappy'"],
  aligned: [
    `select k, ${values} from (select (39 - range)::bigint as k from range(37))`,
    "codec 'zstd', row_group_size 2048",
  ],
  other: [
    `select k, ${values} from (select (range * 2)::bigint as k from range(30))`,
    "codec 'uncompressed', parquet_version v2",
  ],
  spliced: [`select k, ${values} from (select range::bigint as k from range(40))`, "codec 'snappy'"],
};
const names = Object.keys(tables);
const files = new Map<string, Buffer>();

before(async () => {
  for (const [name, [select, options]] of Object.entries(tables)) {
    const path = join(folder, `${name}.parquet`);
    await copyTo(path, select, options);
    files.set(name, readFileSync(path));
  }
});

type Row = Readonly<Record<string, unknown>>;

/** The rows and columns of a file, as DuckDB reads it; undefined where it cannot. */
async function read(
  path: string,
): Promise<{ readonly columns: readonly Row[]; readonly rows: readonly Row[] } | undefined> {
  try {
    const columns = await query(`describe select * from read_parquet('${path}')`);
    return { columns, rows: await query(`select * from read_parquet('${path}')`) };
  } catch {
    return undefined;
  }
}

/** How a case ended. */
type Verdict = "refused" | "equal" | "not readable for DuckDB";

/** Merges a checkpoint in which one table is another file, and compares the output. */
async function judge(table: string, content: Buffer, level: "structure" | "full"): Promise<Verdict> {
  const scratch = mkdtempSync(join(folder, "case-"));
  try {
    const input = join(scratch, "in", "pair");
    mkdirSync(input, { recursive: true });
    for (const [name, bytes] of files) writeFileSync(join(input, `${name}.parquet`), name === table ? content : bytes);
    const output = join(scratch, "out");
    const settings = { input: join(scratch, "in"), output, key: "k", requireMarker: false, verify: level, sync: false };
    const failure = await endNamed(() => mergeHere(settings));
    if (await hasBitPackedLevels(join(input, `${table}.parquet`))) return "not readable for DuckDB";
    if (failure !== undefined) {
      const named: readonly ExitCode[] = [ExitCode.input, ExitCode.memory];
      assert.ok(named.includes(failure.exitCode), `exit ${failure.exitCode}: ${failure.message}`);
      assert.deepEqual(readdirSync(scratch), readdirSync(scratch).includes("out") ? ["in", "out"] : ["in"]);
      return "refused";
    }
    const path = join(output, "training_pair.parquet");
    assert.deepEqual((await verifyHere({}, path, "structure")).problems, []);
    return await compare(input, path);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * DuckDB and Polars take all levels for RLE, also those that their page header calls BIT_PACKED (4), which the format
 * deprecates: no independent reader has an opinion on these.
 */
async function hasBitPackedLevels(path: string): Promise<boolean> {
  try {
    const { footer, bytes } = await loadFile(path);
    const chunks = footer.rowGroups.flatMap((group) => (group.rows > 0 ? group.chunks : []));
    const pages = chunks.flatMap(({ start, size }) => [...readPages(bytes.subarray(start, start + size))]);
    return pages.some(
      (page) => page.type === PageType.data && [page.definitionEncoding, page.repetitionEncoding].includes(4),
    );
  } catch {
    // It cannot be read at all.
    return false;
  }
}

async function compare(input: string, output: string): Promise<Verdict> {
  const read1 = await Promise.all(names.map((name) => read(join(input, `${name}.parquet`))));
  if (read1.includes(undefined)) return "not readable for DuckDB";
  const [targets, ...features] = names.map((name, index) => ({
    name,
    ...(read1[index] as NonNullable<(typeof read1)[0]>),
  }));
  assert.ok(targets !== undefined);
  const merged = await read(output);
  assert.ok(merged !== undefined, "DuckDB reads the inputs, but not the output");
  const sorted = features.sort((one, other) => (one.name < other.name ? -1 : 1));
  const typesOf = (columns: readonly Row[], prefix = "") =>
    columns
      .filter(({ column_name: name }) => name !== "k")
      .map((column) => `${prefix}${column.column_name} ${column.column_type}`);
  assert.deepEqual(typesOf(merged.columns), [
    ...typesOf(targets.columns),
    ...sorted.flatMap(({ name, columns }) => typesOf(columns, `${name}_`)),
  ]);
  const indexed = sorted.map(({ name, columns, rows }) => ({
    name,
    columns: columns.map(({ column_name: column }) => String(column)).filter((column) => column !== "k"),
    byKey: new Map(rows.map((row) => [JSON.stringify(row.k), row])),
  }));
  const expected = targets.rows.map((row) => {
    const wide: Record<string, unknown> = { ...row };
    for (const { name, columns, byKey } of indexed) {
      const found = byKey.get(JSON.stringify(row.k));
      for (const column of columns) wide[`${name}_${column}`] = found?.[column] ?? null;
    }
    return wide;
  });
  assert.deepEqual(merged.rows, expected);
  return "equal";
}

test("sound files are merged into what DuckDB joins", async () => {
  for (const [name, content] of files) assert.equal(await judge(name, content, "full"), "equal");
});

for (const name of readdirSync(regressions))
  test(`${name}, which once failed, is refused or merged right`, async () => {
    const [table = ""] = name.split("-");
    for (const level of ["structure", "full"] as const)
      await judge(table, readFileSync(join(regressions, name)), level);
  });

test("mutated files are refused by name or merged right", async (context) => {
  const verdicts: Record<Verdict, number> = { refused: 0, equal: 0, "not readable for DuckDB": 0 };
  await fuzz({ name: "Parquet files", cases: 250, most: 20 }, async (dice, seed) => {
    const table = dice.pick(names);
    const content = mutateParquet(files.get(table) ?? Buffer.alloc(0), dice);
    try {
      verdicts[await judge(table, content, dice.pick(["structure", "full"]))] += 1;
    } catch (error) {
      const kept = `${process.env.WIDEMERGE_FUZZ_KEEP ?? folder}/${table}-${seed}.parquet`;
      writeFileSync(kept, content);
      throw new Error(`keep this file as a regression: ${kept}`, { cause: error });
    }
  });
  context.diagnostic(JSON.stringify(verdicts));
  assert.ok(verdicts.refused > 0 && verdicts.equal > 0);
});

test("mutated manifests: merge and verify end well, or with a refusal that has a cause", async (context) => {
  const input = join(folder, "manifests", "in", "pair");
  mkdirSync(input, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(input, `${name}.parquet`), bytes);
  const output = join(folder, "manifests", "out");
  const settings = { input: join(input, ".."), output, key: "k", requireMarker: false, sync: false };
  await mergeHere(settings);
  const path = join(output, "training_pair.manifest.json");
  const sound = readFileSync(path, "utf8");
  let refused = 0;
  const cases = await fuzz({ name: "manifests", cases: 100, most: 10 }, async (dice) => {
    const content = mutateJson(sound, dice);
    for (const command of [
      () => mergeHere(settings),
      () => verifyHere({}, join(output, "training_pair.parquet"), dice.pick(["structure", "sample", "full"])),
    ]) {
      writeFileSync(path, content);
      try {
        if ((await endNamed(command)) !== undefined) refused += 1;
      } catch (error) {
        throw new Error(content.slice(0, 4000), { cause: error });
      }
    }
  });
  context.diagnostic(`${cases} damaged manifests, ${refused} refusals`);
  assert.ok(refused > 0);
});
