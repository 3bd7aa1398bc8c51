import pMap from "p-map";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn, type Problem } from "../../model/failure.ts";
import { namesOf } from "../../model/folders.ts";
import { formatBytes } from "../../model/units.ts";
import { BufferPool, ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { KeyVector } from "../../parquet/key/key-vector.ts";
import { remoteTablesAtOnce, tablesAtOnce } from "../budget.ts";
import type { PairContext } from "../context.ts";
import type { InspectedTable, KeyProof, ListedTable, ProvenTable } from "../table.ts";
import { measureByteArrays } from "./byte-arrays.ts";
import { explainByChange, findChanged } from "./changed-inputs.ts";
import type { Inventory } from "./inventory.ts";
import {
  checkTargetsKey,
  decodeTargetsKey,
  type KeyedTargets,
  KeyProver,
  type KeySettings,
  proveSameBytes,
} from "./keys.ts";
import { explainMissingKeys } from "./missing-key.ts";
import { findUnusedRules, type NamedTable } from "./renames.ts";
import { inspectTable, type KeyNaming, type MissingKey } from "./table.ts";

/** A checkpoint after preflight: what can be merged, and everything that is wrong with the rest. */
export interface CheckedCheckpoint {
  /** The targets with their decoded key; absent where they cannot be used. */
  readonly targets?: { readonly table: ProvenTable; readonly key: KeyVector };
  /** The feature tables whose keys fit the targets'. */
  readonly features: readonly ProvenTable[];
  /** Every table whose columns are known, also where its key does not fit; the targets come first. */
  readonly readable: readonly InspectedTable[];
  /** In the order of the tables, which is the same every time. */
  readonly problems: readonly Problem[];
}

/** Reads footers, page headers and key columns of every table, and nothing else in bulk. Lists every problem. */
export async function runPreflight(
  context: PairContext,
  inventory: Inventory,
  settings: KeySettings,
): Promise<CheckedCheckpoint> {
  const { targets, features } = inventory;
  const inputs = (targets === undefined ? features : [targets, ...features]).map(({ file }) => file);
  const checked = await explainByChange(context, inputs, () => new Preflight(context, settings).run(inventory));
  if (checked.problems.length === 0) return checked;
  // Whatever is wrong with a table that changed while it was read may be wrong because of that.
  const changed = await findChanged(context, inputs);
  const names = new Set(changed.map(({ table }) => table));
  const others = checked.problems.filter(({ table }) => table === undefined || !names.has(table));
  return { ...checked, problems: [...changed, ...others] };
}

/** What preflight found out about one table. */
interface CheckedTable {
  readonly problems: readonly Problem[];
  /** Present where the table has no key. */
  readonly keyless?: MissingKey;
  readonly readable?: InspectedTable;
  readonly proven?: ProvenTable;
}

/** Progress reports of the stage, at most. */
const mostReports = 50;

class Preflight {
  readonly #context: PairContext;
  readonly #settings: KeySettings;
  readonly #buffers = new BufferPool();

  constructor(context: PairContext, settings: KeySettings) {
    this.#context = context;
    this.#settings = settings;
  }

  async run(inventory: Inventory): Promise<CheckedCheckpoint> {
    const folder = await this.#checkOutputFolder();
    const own = inventory.targets === undefined ? undefined : await this.#inspectTargets(inventory.targets);
    const targets = own?.keyed;
    const checked = await this.#checkAll(inventory.features, targets);
    const keyless = [own, ...checked].flatMap((one) => one?.keyless ?? []);
    const features = checked.flatMap(({ proven }) => proven ?? []);
    if (targets !== undefined) this.#warnOfFewMatches(features, targets.key.rows);
    if (own !== undefined) this.#warnOfUnusedRules([{ ...own, readable: targets?.table }, ...checked], inventory);
    const table = targets && (await this.#measure(targets.table, proveSameBytes(targets.key)));
    return {
      ...(targets === undefined || table === undefined ? {} : { targets: { table, key: targets.key } }),
      features,
      readable: [...(table === undefined ? [] : [table]), ...checked.flatMap(({ readable }) => readable ?? [])],
      problems: [
        ...inventory.problems,
        ...folder,
        ...explainMissingKeys(keyless, checked.length + (own === undefined ? 0 : 1), this.#settings.key),
        ...(own?.problems ?? []),
        ...checked.flatMap(({ problems }) => problems),
      ],
    };
  }

  get #naming(): KeyNaming {
    const { key, keyCast, rename, folders } = this.#settings;
    return { key, keyCast, rename, pair: namesOf(folders, this.#context.pair) };
  }

  async #inspectTargets(
    listed: ListedTable,
  ): Promise<Pick<CheckedTable, "problems" | "keyless"> & { readonly keyed?: KeyedTargets }> {
    // A buffer of its own, because the targets' key stays in memory until every table is compared with it.
    const keyed = await inspectTable(this.#context.store, listed, this.#naming, new ReusableBuffer());
    if ("columns" in keyed) return { problems: [], keyless: keyed };
    if (!("table" in keyed)) return { problems: keyed };
    const key = decodeTargetsKey(keyed);
    if ("what" in key) return { problems: [key] };
    const targets = { ...keyed, key };
    return { problems: checkTargetsKey(targets), keyed: targets };
  }

  async #checkAll(tables: readonly ListedTable[], targets: KeyedTargets | undefined): Promise<CheckedTable[]> {
    const { store, port } = this.#context;
    const remote = tables.some(({ file }) => store.isRemote(file.path));
    const prover = targets && new KeyProver(targets, this.#settings);
    const step = Math.ceil(tables.length / mostReports);
    let done = 0;
    return pMap(
      tables,
      async (table, index) => {
        port.signal.throwIfAborted();
        const result = await this.#buffers.lend((buffer) => this.#check(table, prover, buffer));
        done += 1;
        if (done % step === 0 || done === tables.length) this.#report(done, tables.length);
        // Buffers from the network are garbage outside the collector's own heap, whose growth it does not notice.
        if (index % 50 === 0 && remote) globalThis.gc?.();
        return result;
      },
      { concurrency: remote ? remoteTablesAtOnce : tablesAtOnce },
    );
  }

  async #check(listed: ListedTable, prover: KeyProver | undefined, buffer: ReusableBuffer): Promise<CheckedTable> {
    const keyed = await inspectTable(this.#context.store, listed, this.#naming, buffer);
    if ("columns" in keyed) return { problems: [], keyless: keyed };
    if (!("table" in keyed)) return { problems: keyed };
    const readable = keyed.table;
    // Without targets there is nothing to compare with; the table's own problems are still worth reporting.
    if (prover === undefined) return { problems: [], readable };
    const proof = prover.prove(keyed);
    if (!("how" in proof)) return { problems: proof, readable };
    return { problems: [], readable, proven: await this.#measure(readable, proof) };
  }

  async #measure(table: InspectedTable, proof: KeyProof): Promise<ProvenTable> {
    return { ...table, proof, expanded: await measureByteArrays(this.#context.store, table) };
  }

  #warnOfFewMatches(tables: readonly ProvenTable[], rows: number): void {
    for (const { file, proof } of tables) {
      const { matched } = proof.comparison;
      if (matched * 100 >= this.#settings.minMatch * rows) continue;
      const share = `${matched} of ${rows} targets' keys`;
      const text = `${file.table}: has only ${share}, fewer than --min-match says`;
      this.#context.port.emit({ type: "warning", text });
    }
  }

  /** A rule may be for a table that cannot be read: nothing is said unless the columns of every table are known. */
  #warnOfUnusedRules(
    tables: readonly { readonly keyless?: MissingKey; readonly readable?: InspectedTable | undefined }[],
    { excluded }: Inventory,
  ): void {
    const named = tables.flatMap(({ keyless, readable }) => nameColumns(keyless, readable) ?? []);
    if (named.length < tables.length) return;
    const { rename, pair } = this.#naming;
    for (const rule of findUnusedRules(rename, named, { pair, excluded }))
      this.#context.port.emit({ type: "warning", text: `no column matches ${rule} of --rename` });
  }

  async #checkOutputFolder(): Promise<Problem[]> {
    const { store, paths } = this.#context;
    const why = await store.checkWritable(paths.folder);
    if (why === undefined) return this.#checkLinks();
    return [
      {
        what: "the output folder cannot be written",
        found: why,
        fix: `make sure that ${paths.folder} exists and is writable, or choose another --output`,
      },
    ];
  }

  /** Found out now, not after the whole merge. */
  async #checkLinks(): Promise<Problem[]> {
    const { store, paths } = this.#context;
    const found = await store.checkPublishable(paths.folder);
    if (found === undefined) return [];
    const what = `the volume of the output folder has no hard links, without which an output could overwrite another: ${paths.folder}`;
    const fix =
      "choose an --output on a local disk, on NFS or in a bucket, and copy output and manifest to this volume afterwards";
    return [{ what, found, fix }];
  }

  #report(tablesDone: number, tables: number): void {
    this.#context.port.emit({ type: "progress", stage: "preflight", tablesDone, tables, bytesDone: 0, bytesTotal: 0 });
  }
}

/** The columns of a table, with or without a key; undefined where they are not known. */
function nameColumns(keyless: MissingKey | undefined, readable: InspectedTable | undefined): NamedTable | undefined {
  if (readable !== undefined)
    return { table: readable.file.table, columns: readable.footer.columns.map(({ name }) => name) };
  return keyless && { table: keyless.file.table, columns: [...keyless.columns, ...keyless.nested] };
}

/**
 * The output has to fit where it goes; `diskFree`: bytes that must be free at least, "auto" for what the output needs.
 * @throws Failure (input) with what is needed and what is free.
 */
export async function checkDisk(
  { store, paths }: Pick<PairContext, "store" | "paths">,
  outputBytes: number,
  diskFree: "auto" | number,
): Promise<void> {
  const needed = diskFree === "auto" ? outputBytes : Math.max(outputBytes, diskFree);
  const free = await store.freeBytes(paths.folder);
  if (free === undefined || free >= needed) return;
  failOn(ExitCode.input, [
    {
      what: `not enough disk space for ${paths.output}`,
      found: `${formatBytes(free)} free, ${formatBytes(needed)} needed`,
      fix: "free space, or choose another --output",
    },
  ]);
}
