import pMap from "p-map";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn, type Problem } from "../../model/failure.ts";
import { formatBytes } from "../../model/units.ts";
import { BufferPool, ReusableBuffer } from "../../parquet/buffer-pool.ts";
import type { KeyVector } from "../../parquet/key/key-vector.ts";
import { remoteTablesAtOnce, tablesAtOnce } from "../budget.ts";
import type { PairContext } from "../context.ts";
import type { ListedTable, ProvenTable } from "../table.ts";
import type { Inventory } from "./inventory.ts";
import {
  checkTargetsKey,
  decodeTargetsKey,
  type KeyedTargets,
  type KeySettings,
  proveKey,
  proveSameBytes,
} from "./keys.ts";
import { inspectTable } from "./table.ts";

/** A checkpoint that can be merged, with the targets' decoded key. */
export interface ProvenCheckpoint {
  readonly targets: ProvenTable;
  readonly features: readonly ProvenTable[];
  readonly targetsKey: KeyVector;
}

/**
 * Reads footers, page headers and key columns of every table, and nothing else in bulk.
 * @throws Failure (input) that lists every problem of the checkpoint and of the output folder.
 */
export async function runPreflight(
  context: PairContext,
  inventory: Inventory,
  settings: KeySettings,
): Promise<ProvenCheckpoint> {
  return new Preflight(context, settings).run(inventory);
}

class Preflight {
  readonly #context: PairContext;
  readonly #settings: KeySettings;
  readonly #buffers = new BufferPool();
  readonly #problems: Problem[] = [];

  constructor(context: PairContext, settings: KeySettings) {
    this.#context = context;
    this.#settings = settings;
  }

  async run(inventory: Inventory): Promise<ProvenCheckpoint> {
    this.#problems.push(...inventory.problems, ...(await this.#checkOutputFolder()));
    const targets = inventory.targets === undefined ? undefined : await this.#inspectTargets(inventory.targets);
    const features = await this.#proveAll(inventory.features, targets);
    failOn(ExitCode.input, this.#problems);
    if (targets === undefined) throw new Error("no targets and no problem");
    const proof = proveSameBytes(targets.table.footer.rows);
    return { targets: { ...targets.table, proof }, targetsKey: targets.key, features };
  }

  async #inspectTargets(listed: ListedTable): Promise<KeyedTargets | undefined> {
    // A buffer of its own, because the targets' key stays in memory until every table is compared with it.
    const keyed = await inspectTable(this.#context.store, listed, this.#settings.key, new ReusableBuffer());
    if (!("table" in keyed)) return this.#refuse(keyed);
    const key = decodeTargetsKey(keyed);
    if ("what" in key) return this.#refuse([key]);
    const targets = { ...keyed, key };
    this.#problems.push(...checkTargetsKey(targets));
    return targets;
  }

  async #proveAll(tables: readonly ListedTable[], targets: KeyedTargets | undefined): Promise<ProvenTable[]> {
    const { store, port } = this.#context;
    const remote = tables.some(({ file }) => store.isRemote(file.path));
    const proven = await pMap(
      tables,
      async (table, index) => {
        port.signal.throwIfAborted();
        const result = await this.#buffers.lend((buffer) => this.#prove(table, targets, buffer));
        if (index % 50 === 0) this.#report(index, tables.length);
        // Buffers from the network are garbage outside the collector's own heap, whose growth it does not notice.
        if (index % 50 === 0 && remote) globalThis.gc?.();
        return result;
      },
      { concurrency: remote ? remoteTablesAtOnce : tablesAtOnce },
    );
    return proven.filter((table) => table !== undefined);
  }

  /** The table with its proof; undefined where it has problems, which are collected. */
  async #prove(
    listed: ListedTable,
    targets: KeyedTargets | undefined,
    buffer: ReusableBuffer,
  ): Promise<ProvenTable | undefined> {
    const keyed = await inspectTable(this.#context.store, listed, this.#settings.key, buffer);
    if (!("table" in keyed)) return this.#refuse(keyed);
    // Without targets there is nothing to compare with; the table's own problems are still worth reporting.
    if (targets === undefined) return undefined;
    const proof = proveKey(keyed, targets, this.#settings);
    if (!("how" in proof)) return this.#refuse(proof);
    this.#warnOfFewMatches(listed, proof.comparison.matched, targets.key.rows);
    return { ...keyed.table, proof };
  }

  #warnOfFewMatches({ file }: ListedTable, matched: number, rows: number): void {
    if (matched * 100 >= this.#settings.minMatch * rows) return;
    const share = `${matched} of ${rows} targets' keys`;
    this.#context.port.emit({ type: "warning", text: `${file.table}: has only ${share}, fewer than --min-match says` });
  }

  #refuse(problems: readonly Problem[]): undefined {
    this.#problems.push(...problems);
  }

  async #checkOutputFolder(): Promise<Problem[]> {
    const { store, paths } = this.#context;
    const why = await store.checkWritable(paths.folder);
    if (why === undefined) return [];
    return [
      {
        what: "the output folder cannot be written",
        found: why,
        fix: `make sure that ${paths.folder} exists and is writable, or choose another --output`,
      },
    ];
  }

  #report(tablesDone: number, tables: number): void {
    this.#context.port.emit({ type: "progress", stage: "preflight", tablesDone, tables, bytesDone: 0, bytesTotal: 0 });
  }
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
