/** What one seed makes: a store, time, faults, and a log of everything that happened. */
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import type { RunRecord } from "../../src/model/run.ts";
import type { RunStore } from "../../src/run/documents.ts";
import type { LeaseDocument } from "../../src/run/lease-watch.ts";
import { newOwner } from "../../src/store/owner.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Random } from "./random.ts";
import { VirtualProcess, VirtualTime } from "./virtual-time.ts";

/** How often requests go wrong, as shares. */
export interface FaultRates {
  /** The request never arrives, or its answer never does. */
  readonly lost: number;
  /** The client gives up, and the request arrives all the same, up to 20 seconds later. */
  readonly late: number;
  /** A request or its answer takes up to 2 seconds. */
  readonly slow: number;
  /** A worker, or a look at the backend, is shown what was so up to 5 seconds ago. */
  readonly stale: number;
}

export const noFaults: FaultRates = { lost: 0, late: 0, slow: 0, stale: 0 };
/** Milliseconds: how old a stale answer is at most. */
export const stalest = 5000;

/** A write that the store accepted. */
export interface AcceptedWrite {
  readonly at: number;
  readonly path: string;
  readonly by: string;
  /** The document before and after; undefined for none. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export const paths = {
  record: "out/runs/run/run.json",
  lease: "out/runs/run/lease.json",
  cancel: "out/runs/run/cancel.json",
  report: "out/runs/run/report.json",
} as const;

export class World {
  readonly time = new VirtualTime();
  readonly store = new MemoryStore();
  readonly random: Random;
  readonly writes: AcceptedWrite[] = [];
  /** What happened, one line each, for people. */
  readonly log: string[] = [];
  /** A safeguard that is taken out, to see the simulation find it. */
  readonly mutation: Mutation | undefined;
  rates: FaultRates;

  constructor(random: Random, rates: FaultRates, mutation?: Mutation) {
    this.random = random;
    this.rates = rates;
    this.mutation = mutation;
  }

  note(line: string): void {
    this.log.push(`${(this.time.now / 1000).toFixed(3)} s  ${line}`);
  }

  newProcess(skew = 0): VirtualProcess {
    return new VirtualProcess(this.time, { random: this.random.next, skew });
  }

  record(): RunRecord | undefined {
    return this.recordAt(this.time.now);
  }

  /** The record of the run that everybody could read since then, in milliseconds. */
  recordAt(time: number): RunRecord | undefined {
    const text = this.textAt(paths.record, time);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** A document as it was; undefined where there was none. */
  textAt(path: string, time: number): string | undefined {
    const next = this.writes.find((write) => write.path === path && write.at > time);
    return next === undefined ? this.store.documents.get(path)?.text : next.before;
  }
}

/** A safeguard that is taken out. */
export type Mutation =
  /** Conditional writes are not conditional: nothing fences a controller that was replaced. */
  | "unconditional writes"
  /** A lease is judged by the clocks of its writer and its reader, as before. */
  | "lease by clocks"
  /** A worker does not ask whether its controller was replaced. */
  | "workers unasked";

/** The store as one process reaches it over a network that loses, delays and repeats. */
export function connectStore(world: World, process: VirtualProcess, name: string, rates?: FaultRates): RunStore {
  const { store, time, random } = world;

  async function request<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    const { lost, late, slow } = rates ?? world.rates;
    const draw = random.next();
    if (draw < late) {
      time.after(random.between(0, 20_000), () => void work());
      await time.sleep(random.between(0, 500));
      throw outOfReach(what);
    }
    if (random.chance(slow)) await time.sleep(random.between(0, 2000));
    if (draw < late + lost / 2) throw outOfReach(what);
    const value = await work();
    if (random.chance(slow)) await time.sleep(random.between(0, 2000));
    if (draw < late + lost) throw outOfReach(what);
    return value;
  }

  function reach<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
    return process.receive(request(what, work));
  }

  async function change<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
    const before = store.documents.get(path)?.text;
    const version = store.documents.get(path)?.version;
    const value = await work();
    const found = store.documents.get(path);
    if (found?.version !== version) world.writes.push({ at: time.now, path, by: name, before, after: found?.text });
    return value;
  }

  const isFree = world.mutation === "unconditional writes";
  const reading = world.mutation === "lease by clocks" ? judgeByClocks(store, process) : store;
  return {
    join: store.join,
    list: (folder) => reach(`list ${folder}`, () => store.list(folder)),
    stat: (path) => reach(`stat ${path}`, () => store.stat(path)),
    readText: (path) =>
      reach(`read ${path}`, async () =>
        name.startsWith("attempt-") && random.chance(world.rates.stale)
          ? world.textAt(path, time.now - random.between(0, stalest))
          : reading.readText(path),
      ),
    writeText: (path, text) => reach(`write ${path}`, () => change(path, () => store.writeText(path, text))),
    writeTextIf: (path, text, expected) =>
      reach(`write ${path}`, () =>
        change(path, async () => {
          if (!isFree) return store.writeTextIf(path, text, expected);
          store.put(path, text);
          return true;
        }),
      ),
    remove: (path, version) => reach(`remove ${path}`, () => change(path, () => store.remove(path, version))),
  };
}

function outOfReach(what: string): Failure {
  return new Failure(ExitCode.transient, [{ what: "the store is out of reach", found: what, fix: "wait" }]);
}

/** An owner of this machine whose process is gone, so that a lease with it is free at once. */
const goneOwner = `${newOwner().split("-").slice(0, 2).join("-")}-0-gone`;

/** What a controller of an earlier version saw: a heartbeat by its time of day, which is compared with the reader's. */
function judgeByClocks(store: MemoryStore, process: VirtualProcess): Pick<RunStore, "readText"> {
  let looks = 0;
  return {
    readText: async (path) => {
      const text = await store.readText(path);
      if (path !== paths.lease || text === undefined) return text;
      const lease: LeaseDocument = JSON.parse(text);
      const age = Date.parse(process.stamp()) - Date.parse(lease.heartbeat);
      looks += 1;
      // Every look differs for a fresh heartbeat, so that the holder counts as alive; none is there for an old one.
      return JSON.stringify(age > 30_000 ? { ...lease, owner: goneOwner } : { ...lease, looks });
    },
  };
}
