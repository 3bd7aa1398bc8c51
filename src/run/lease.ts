import { hostname } from "node:os";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { isOwnerDead, newOwner } from "../store/owner.ts";
import { formatDocument, type RunStore, readDocument } from "./documents.ts";

/** `lease.json`: the controller that a run belongs to. */
export interface LeaseDocument {
  readonly format: 1;
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** RFC 3339. */
  readonly since: string;
  readonly heartbeat: string;
}

export interface Lease {
  /** Aborted with a Failure as its reason when another controller has taken the run over. */
  readonly signal: AbortSignal;
  /** Renews the lease. @throws Failure if another controller has it now. */
  confirm(): Promise<void>;
  /** Gives the lease back; harmless if another controller has it. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly run: string;
  /** The same for every try to take the lease, so that a try whose answer was lost is recognised. */
  readonly owner?: string;
  /** Milliseconds between two heartbeats. */
  readonly beatMilliseconds?: number;
  /** Milliseconds without a heartbeat after which a controller counts as dead. */
  readonly staleMilliseconds?: number;
  /** Runs with every heartbeat. */
  readonly onBeat?: () => Promise<void>;
}

const beatEvery = 5000;
const staleAfter = 30_000;
const takeRounds = 20;

/**
 * Makes this process the only controller of a run. The lease of a dead controller is taken over: at once if its process on
 * this host is gone, otherwise 30 seconds after its last heartbeat.
 * @throws Failure (transient) that names the live controller: it may have ended a little later.
 */
export async function takeLease(store: RunStore, path: string, options: LeaseOptions): Promise<Lease> {
  const taken = await askForLease(store, path, options);
  if (taken instanceof Failure) throw taken;
  return taken;
}

/** The same, but returns the refusal: it must not be retried like a failure of the store. */
export async function askForLease(store: RunStore, path: string, options: LeaseOptions): Promise<Lease | Failure> {
  const now = new Date().toISOString();
  const document: LeaseDocument = {
    format: 1,
    owner: options.owner ?? newOwner(),
    host: hostname(),
    pid: process.pid,
    since: now,
    heartbeat: now,
  };
  for (let round = 0; round < takeRounds; round += 1) {
    const found = await readLease(store, path);
    // A write whose answer was lost looks refused, so the stored lease decides.
    if (found.document?.owner === document.owner) return new HeldLease(store, path, document, options);
    if (found.document !== undefined && !isDead(found.document, options)) return refusal(found.document, options.run);
    if (await store.writeTextIf(path, formatDocument(document), found.version))
      return new HeldLease(store, path, document, options);
  }
  throw new Failure(ExitCode.transient, [
    {
      what: `the lease of run ${options.run} could not be taken`,
      found: `${path} changed at every try`,
      fix: "check which controllers are running, then run again",
    },
  ]);
}

/** The live controller of a run; undefined if there is none. */
export async function findController(store: RunStore, path: string, run: string): Promise<LeaseDocument | undefined> {
  const { document } = await readLease(store, path);
  return document === undefined || isDead(document, { run }) ? undefined : document;
}

async function readLease(
  store: RunStore,
  path: string,
): Promise<{ readonly version: string | undefined; readonly document: LeaseDocument | undefined }> {
  // The version is read first: if the document changes in between, the later write fails.
  const version = (await store.stat(path))?.version;
  return { version, document: version === undefined ? undefined : await readDocument<LeaseDocument>(store, path) };
}

function isDead(document: LeaseDocument, { staleMilliseconds = staleAfter }: LeaseOptions): boolean {
  const age = Date.now() - Date.parse(document.heartbeat);
  // A time that cannot be parsed gives NaN, which counts as old.
  return !(age <= staleMilliseconds) || isOwnerDead(document.owner, Date.now());
}

function refusal({ host, pid, since, heartbeat }: LeaseDocument, run: string): Failure {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(heartbeat)) / 1000));
  return new Failure(ExitCode.transient, [
    {
      what: `run ${run} already has a controller`,
      found: `process ${pid} on ${host}, since ${since}, last heartbeat ${seconds} s ago`,
      fix: `follow it with \`widemerge status ${run} --watch\`, end it with \`widemerge cancel ${run}\`, or choose another --run; if it is lost, run the same command again in 30 seconds`,
    },
  ]);
}

class HeldLease implements Lease {
  readonly #store: RunStore;
  readonly #path: string;
  readonly #document: LeaseDocument;
  readonly #onBeat: () => Promise<void>;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #working: Promise<void> = Promise.resolve();

  constructor(store: RunStore, path: string, document: LeaseDocument, options: LeaseOptions) {
    this.#store = store;
    this.#path = path;
    this.#document = document;
    this.#onBeat = options.onBeat ?? (() => Promise.resolve());
    this.#timer = setInterval(() => void this.#beat(), options.beatMilliseconds ?? beatEvery).unref();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  confirm(): Promise<void> {
    const renewed = this.#working.then(() => this.#renew());
    this.#working = renewed.catch(() => undefined);
    return renewed;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
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
    const text = formatDocument({ ...this.#document, heartbeat: new Date().toISOString() } as LeaseDocument);
    if (found.document?.owner === this.#document.owner) {
      if (await this.#store.writeTextIf(this.#path, text, found.version)) return;
      // Refused although the lease was ours: by a write of ours whose answer was lost, or by another controller.
      if ((await readLease(this.#store, this.#path)).document?.owner === this.#document.owner) return;
    }
    clearInterval(this.#timer);
    const failure = new Failure(ExitCode.terminated, [
      {
        what: "another controller took this run over",
        found: found.document === undefined ? "no lease" : `process ${found.document.pid} on ${found.document.host}`,
        fix: "nothing is lost: that controller continues the run",
      },
    ]);
    this.#lost.abort(failure);
    throw failure;
  }
}
