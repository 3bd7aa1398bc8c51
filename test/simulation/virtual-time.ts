/** A test double of time: events in order, with nothing between them. Hours of a run pass in milliseconds. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/run/clock.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
}

/** 2026-11-21T06:00:00Z, the time of day at which virtual time begins. */
const beginning = Date.UTC(2026, 10, 21, 6);

/** Everything that will happen, by its time in milliseconds since the beginning. */
export class VirtualTime {
  #now = 0;
  #count = 0;
  /** A binary heap: the earliest event first, and of those at the same time the one that was planned first. */
  readonly #events: Event[] = [];

  get now(): number {
    return this.#now;
  }

  after(milliseconds: number, work: () => void): void {
    this.#count += 1;
    const event = { at: this.#now + Math.max(0, milliseconds), order: this.#count, work };
    this.#events.push(event);
    this.#rise(this.#events.length - 1);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  /**
   * Lets time pass until the promise is settled. Between two events, every promise that can be settled is.
   * @throws Error if nothing more will happen, or if `limit` milliseconds are over
   */
  async runUntil<Value>(promise: Promise<Value>, limit = Number.POSITIVE_INFINITY): Promise<Value> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    for (;;) {
      await setImmediate();
      if (settled) return promise;
      const event = this.#pop();
      if (event === undefined) throw new Error(`nothing more happens after ${this.#now} ms`);
      if (event.at > limit) throw new Error(`not over after ${limit} ms`);
      this.#now = event.at;
      event.work();
    }
  }

  #pop(): Event | undefined {
    const [first] = this.#events;
    const last = this.#events.pop();
    if (first !== last && last !== undefined) {
      this.#events[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#swap(above, at)) return;
      at = above;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const [one, other] = [this.#events[left], this.#events[right]];
      if (one === undefined) return;
      const child = other !== undefined && isBefore(other, one) ? right : left;
      if (!this.#swap(at, child)) return;
      at = child;
    }
  }

  /** Puts two events in their order. Returns whether they were not. */
  #swap(above: number, below: number): boolean {
    const [upper, lower] = [this.#events[above], this.#events[below]];
    if (upper === undefined || lower === undefined || !isBefore(lower, upper)) return false;
    this.#events[above] = lower;
    this.#events[below] = upper;
    return true;
  }
}

function isBefore(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/** A process in virtual time: it can be suspended and killed, and its time of day may be wrong. */
export class VirtualProcess implements Clock {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  /** Milliseconds that its time of day is ahead. */
  readonly #skew: number;
  #suspendedUntil = 0;
  #killed = false;

  constructor(time: VirtualTime, { random, skew = 0 }: { readonly random: () => number; readonly skew?: number }) {
    this.#time = time;
    this.#random = random;
    this.#skew = skew;
  }

  get isKilled(): boolean {
    return this.#killed;
  }

  /** Nothing of this process happens from now on; a request that is on its way may still arrive. */
  kill(): void {
    this.#killed = true;
  }

  suspend(milliseconds: number): void {
    this.#suspendedUntil = Math.max(this.#suspendedUntil, this.#time.now + milliseconds);
  }

  now(): number {
    return this.#time.now;
  }

  stamp(): string {
    return new Date(beginning + this.#time.now + this.#skew).toISOString();
  }

  random(): number {
    return this.#random();
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => this.#whenRunning(resolve);
      if (signal?.aborted) return wake();
      signal?.addEventListener("abort", wake, { once: true });
      this.#time.after(milliseconds, () => {
        signal?.removeEventListener("abort", wake);
        wake();
      });
    });
  }

  repeat(milliseconds: number, work: () => void): () => void {
    let stopped = false;
    const next = (): void =>
      this.#time.after(milliseconds, () =>
        this.#whenRunning(() => {
          if (stopped) return;
          work();
          next();
        }),
      );
    next();
    return () => {
      stopped = true;
    };
  }

  /** The process learns of something: now, when it is resumed, or never. */
  receive<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#whenRunning(() => resolve(value)),
        (error: unknown) => this.#whenRunning(() => reject(error)),
      );
    });
  }

  #whenRunning(work: () => void): void {
    if (this.#killed) return;
    if (this.#time.now >= this.#suspendedUntil) work();
    else this.#time.after(this.#suspendedUntil - this.#time.now, () => this.#whenRunning(work));
  }
}
