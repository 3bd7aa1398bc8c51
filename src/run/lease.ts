import { hostname } from "node:os";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { newOwner } from "../store/owner.ts";
import { type Clock, systemClock } from "./clock.ts";
import { formatDocument, type RunStore } from "./documents.ts";
import { type LeaseDocument, LeaseWatch, readLease, staleAfter } from "./lease-watch.ts";

export interface Lease {
  /** The name of its holder, which no other controller has. */
  readonly owner: string;
  /** Aborted with a Failure as its reason when another controller has taken the run over. */
  readonly signal: AbortSignal;
  /** Renews the lease. @throws Failure (superseded) if another controller has it now. */
  confirm(): Promise<void>;
  /** Says in every heartbeat from now on which generation of the run the holder controls. */
  announce(generation: number): void;
  /** Gives the lease back; harmless if another controller has it. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly run: string;
  /** The same for every try to take the lease, so that a try whose answer was lost is recognised. */
  readonly owner?: string;
  readonly clock?: Clock;
  /** Milliseconds between two heartbeats. */
  readonly beatMilliseconds?: number;
  /** Milliseconds for which a watcher has to see the same heartbeat before the holder counts as dead. */
  readonly staleMilliseconds?: number;
  /** What this process has already seen of the lease. */
  readonly watch?: LeaseWatch;
  /** Runs with every heartbeat. */
  readonly onBeat?: () => Promise<void>;
  /** Called once with a sentence if it takes time to find out whether the holder lives. */
  readonly onWatch?: (text: string) => void;
  /** Aborted with a Failure as its reason: the watch for a heartbeat ends. */
  readonly signal?: AbortSignal;
}

const beatEvery = 5000;
const takeRounds = 20;
/** Looks at a lease while its heartbeat has to change. */
const looksUntilStale = 30;

/**
 * Makes this process the only controller of a run. The lease of a dead controller is taken over: at once if its process on
 * this host is gone, otherwise after its heartbeat has not changed for 30 seconds before the eyes of this process.
 * @throws Failure (transient) that names the live controller: it may have ended a little later.
 */
export async function takeLease(store: RunStore, path: string, options: LeaseOptions): Promise<Lease> {
  const taken = await askForLease(store, path, options);
  if (taken instanceof Failure) throw taken;
  return taken;
}

/** The same, but returns the refusal: it must not be retried like a failure of the store. */
export async function askForLease(store: RunStore, path: string, options: LeaseOptions): Promise<Lease | Failure> {
  const { clock = systemClock, staleMilliseconds = staleAfter, signal } = options;
  const document = newLease(options.owner ?? newOwner(), clock);
  const watch = options.watch ?? new LeaseWatch(clock, staleMilliseconds);
  let toldOf: string | undefined;
  for (let round = 0; round < takeRounds; ) {
    const { state, lease } = await watch.look(store, path);
    // A write whose answer was lost looks refused, so the stored lease decides.
    if (lease.document?.owner === document.owner) return new HeldLease(store, path, lease.document, options);
    if (state === "alive") return refusal(lease.document, options.run);
    if (state === "none") {
      if (await store.writeTextIf(path, formatDocument(document), lease.version))
        return new HeldLease(store, path, document, options);
      round += 1;
      continue;
    }
    const holder = describeHolder(lease.document);
    if (toldOf !== holder)
      options.onWatch?.(
        `the lease of run ${options.run} is held by ${holder}: it is taken over if no heartbeat comes within ${staleMilliseconds / 1000} seconds`,
      );
    toldOf = holder;
    await clock.sleep(staleMilliseconds / looksUntilStale, signal);
    signal?.throwIfAborted();
  }
  throw new Failure(ExitCode.transient, [
    {
      what: `the lease of run ${options.run} could not be taken`,
      found: `${path} changed at every try`,
      fix: "check which controllers are running, then run again",
    },
  ]);
}

function newLease(owner: string, clock: Clock): LeaseDocument {
  const now = clock.stamp();
  return { format: 1, owner, host: hostname(), pid: process.pid, since: now, heartbeat: now, beats: 0 };
}

/** "process 12 on worker-1, since 2026-11-21T06:00:00.000Z" */
export function describeHolder(document: LeaseDocument | undefined): string {
  return document === undefined
    ? "a controller whose lease cannot be read"
    : `process ${document.pid} on ${document.host}, since ${document.since}`;
}

function refusal(document: LeaseDocument | undefined, run: string): Failure {
  return new Failure(ExitCode.transient, [
    {
      what: `run ${run} already has a controller`,
      found: `${describeHolder(document)}, and it is alive`,
      fix: `follow it with \`widemerge status ${run} --watch\`, end it with \`widemerge cancel ${run}\`, or choose another --run; if it is lost, run the same command again: it takes the run over after 30 seconds without a heartbeat`,
    },
  ]);
}

class HeldLease implements Lease {
  readonly #store: RunStore;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onBeat: () => Promise<void>;
  readonly #lost = new AbortController();
  readonly #stopBeats: () => void;
  #document: LeaseDocument;
  #working: Promise<void> = Promise.resolve();

  constructor(store: RunStore, path: string, document: LeaseDocument, options: LeaseOptions) {
    this.#store = store;
    this.#path = path;
    this.#document = document;
    this.#clock = options.clock ?? systemClock;
    this.#onBeat = options.onBeat ?? (() => Promise.resolve());
    this.#stopBeats = this.#clock.repeat(options.beatMilliseconds ?? beatEvery, () => void this.#beat());
  }

  get owner(): string {
    return this.#document.owner;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  confirm(): Promise<void> {
    const renewed = this.#working.then(() => this.#renew());
    this.#working = renewed.catch(() => undefined);
    return renewed;
  }

  announce(generation: number): void {
    this.#document = { ...this.#document, generation };
  }

  async release(): Promise<void> {
    this.#stopBeats();
    await this.#working;
    const found = await readLease(this.#store, this.#path);
    if (found.document?.owner === this.#document.owner) await this.#store.remove(this.#path, found.version);
  }

  /** A store that is out of reach does not cost the lease: the next heartbeat may succeed. */
  async #beat(): Promise<void> {
    await this.confirm().catch(() => undefined);
    await this.#onBeat().catch(() => undefined);
  }

  async #renew(): Promise<void> {
    this.#lost.signal.throwIfAborted();
    const found = await readLease(this.#store, this.#path);
    const beats = (this.#document.beats ?? 0) + 1;
    this.#document = { ...this.#document, heartbeat: this.#clock.stamp(), beats };
    if (found.document?.owner === this.#document.owner) {
      if (await this.#store.writeTextIf(this.#path, formatDocument(this.#document), found.version)) return;
      // Refused although the lease was ours: by a write of ours whose answer was lost, or by another controller.
      if ((await readLease(this.#store, this.#path)).document?.owner === this.#document.owner) return;
    }
    this.#stopBeats();
    const failure = superseded(found.document === undefined ? "no lease" : describeHolder(found.document));
    this.#lost.abort(failure);
    throw failure;
  }
}

/** The end of a controller that another one has replaced. */
export function superseded(found: string): Failure {
  const fix = "nothing is lost: that controller continues the run";
  return new Failure(ExitCode.superseded, [{ what: "another controller took this run over", found, fix }]);
}
