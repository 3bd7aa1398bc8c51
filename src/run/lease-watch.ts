import * as v from "valibot";
import { LeaseEntry } from "../model/run-documents.ts";
import { stateOfOwner } from "../store/owner.ts";
import type { Clock } from "./clock.ts";
import { decodeDocument, type RunStore } from "./documents.ts";

/** `lease.json`: the controller that a run belongs to. */
export interface LeaseDocument {
  readonly format: 1;
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** RFC 3339 by the clock of the holder, for people: no time in this document decides anything. */
  readonly since: string;
  readonly heartbeat: string;
  /** Heartbeats so far: each of them changes the document, whatever the holder's clock says. */
  readonly beats?: number;
  /** The generation of the run that the holder controls; absent until it has opened the run. */
  readonly generation?: number;
}

/** A lease as the store has it. */
export interface StoredLease {
  /** Undefined where there is no lease. */
  readonly version: string | undefined;
  readonly text: string | undefined;
  /** Undefined where there is no lease, or none that this version can read. */
  readonly document: LeaseDocument | undefined;
}

/** Whether a controller has a run. "unknown": a single look at the heartbeat of another machine cannot tell. */
export type ControllerState = "alive" | "none" | "unknown";

/** What a look at a lease found. */
export interface LeaseLook {
  readonly state: ControllerState;
  readonly lease: StoredLease;
}

/** Milliseconds for which a watcher has to see the same heartbeat before the holder counts as dead. */
export const staleAfter = 30_000;
/** Looks in a row that found the same heartbeat, at least. */
const fewestLooks = 6;
/** The longest pause between two looks in a row, as a share of `staleAfter`. */
const longestGap = 1 / 3;

export async function readLease(store: Pick<RunStore, "stat" | "readText">, path: string): Promise<StoredLease> {
  // The version is read first: if the document changes in between, the later write fails.
  const version = (await store.stat(path))?.version;
  const text = version === undefined ? undefined : await store.readText(path);
  return { version, text, document: text === undefined ? undefined : decodeLease(text) };
}

/** The document of a lease; undefined where this version cannot read it, or somebody else changed it. */
function decodeLease(text: string): LeaseDocument | undefined {
  const document = decodeDocument<LeaseDocument>(text);
  return v.is(LeaseEntry, document) ? document : undefined;
}

/**
 * Judges a lease by what one watcher sees of its heartbeat. The holder counts as dead after 30 seconds on the watcher's own
 * monotonic clock in which at least six looks in a row found the same heartbeat. A watcher that did not look for ten seconds
 * was suspended or had no store, and starts again. A process of this machine that is gone needs no second look.
 */
export class LeaseWatch {
  readonly #clock: Clock;
  readonly #staleMilliseconds: number;
  #seen: string | undefined;
  /** When the present heartbeat was seen first and last, and how often. */
  #first = 0;
  #last = 0;
  #looks = 0;
  /** Whether this watcher has seen the heartbeat change. */
  #beats = false;

  constructor(clock: Clock, staleMilliseconds = staleAfter) {
    this.#clock = clock;
    this.#staleMilliseconds = staleMilliseconds;
  }

  async look(store: Pick<RunStore, "stat" | "readText">, path: string): Promise<LeaseLook> {
    const lease = await readLease(store, path);
    return { state: this.judge(lease), lease };
  }

  /** What this look and those before it say together. */
  judge({ version, text, document }: StoredLease): ControllerState {
    if (version === undefined) return "none";
    const process = document === undefined ? "elsewhere" : stateOfOwner(document.owner);
    if (process === "ended" || this.#isStale(text)) return "none";
    return process === "running" || this.#beats ? "alive" : "unknown";
  }

  #isStale(text: string | undefined): boolean {
    const now = this.#clock.now();
    const gap = now - this.#last;
    this.#last = now;
    if (this.#looks === 0 || text !== this.#seen || gap > this.#staleMilliseconds * longestGap) {
      this.#beats = this.#looks > 0 && text !== this.#seen;
      this.#seen = text;
      this.#first = now;
      this.#looks = 1;
      return false;
    }
    this.#looks += 1;
    return this.#looks >= fewestLooks && now - this.#first >= this.#staleMilliseconds;
  }
}
