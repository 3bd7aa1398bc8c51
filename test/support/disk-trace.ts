/** What a program does to a folder, as strace records it, and what a disk may hold after a power cut at any moment of it. */
import { createHash } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A system call that succeeded. `begin` is reported for flushes alone: only what was written before is covered. */
interface Call {
  readonly name: string;
  readonly moment: "begin" | "end";
  readonly strings: readonly Buffer[];
  /** What stands between the parentheses. */
  readonly text: string;
  readonly result: number;
}

/** The calls that `strace` has to record. */
export const traced =
  "open,openat,close,write,pwrite64,writev,pwritev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat";

const flushes: ReadonlySet<string> = new Set(["fsync", "fdatasync"]);

const unfinished = " <unfinished ...>";

/** The calls of `strace -f -xx` in the order in which they took effect. */
function* parseTrace(trace: string): Generator<Call> {
  const begun = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const [, pid = "", text = ""] = /^(\d+)\s+(.*)$/s.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text)?.[0];
    const whole = resumed === undefined ? text : `${begun.get(pid) ?? ""}${text.slice(resumed.length)}`;
    const isUnfinished = whole.endsWith(unfinished);
    const started = isUnfinished ? whole.slice(0, -unfinished.length) : whole;
    if (isUnfinished) begun.set(pid, started);
    const name = /^\w+/.exec(started)?.[0] ?? "";
    if (resumed === undefined && flushes.has(name))
      yield { name, moment: "begin", strings: [], text: started, result: 0 };
    if (!isUnfinished) yield* parseEnd(name, started);
  }
}

/** A call that is over, unless it failed. */
function* parseEnd(name: string, text: string): Generator<Call> {
  const [, inner = "", result = ""] = /^\w+\((.*)\)\s+=\s+(-?\d+)/s.exec(text) ?? [];
  if (result === "" || Number(result) < 0) return;
  const strings = [...inner.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = ""]) =>
    Buffer.from(hex.replaceAll("\\x", ""), "hex"),
  );
  yield { name, moment: "end", strings, text: inner, result: Number(result) };
}

interface Write {
  readonly at: number;
  readonly bytes: Buffer;
}

/** A file: what is on the disk for certain, and the writes that may or may not be there. */
class Inode {
  #durable: Buffer;
  #unsynced: Write[] = [];
  #flushing = 0;

  constructor(content = Buffer.alloc(0)) {
    this.#durable = content;
  }

  write(at: number, bytes: Buffer): void {
    this.#unsynced.push({ at, bytes });
  }

  beginFlush(): void {
    this.#flushing = this.#unsynced.length;
  }

  endFlush(): void {
    this.#durable = apply(this.#durable, this.#unsynced.splice(0, this.#flushing));
    this.#flushing = 0;
  }

  /** The content after a cut, when those unsynced writes are there that `isKept` says. */
  content(isKept: (index: number) => boolean): Buffer {
    return apply(
      this.#durable,
      this.#unsynced.filter((_, index) => isKept(index)),
    );
  }
}

function apply(content: Buffer, writes: readonly Write[]): Buffer {
  const size = Math.max(content.length, ...writes.map(({ at, bytes }) => at + bytes.length));
  const all = Buffer.alloc(size);
  content.copy(all);
  for (const { at, bytes } of writes) bytes.copy(all, at);
  return all;
}

type Entry = Inode | "folder";
/** One step in one folder: the names that it sets (an entry) or removes (undefined). */
type Step = { readonly folder: string; readonly changes: ReadonlyMap<string, Entry | undefined> };

/** Files by their path below the root; folders by a path that ends with a slash. */
export type DiskState = ReadonlyMap<string, Buffer>;

/** Which unsynced writes of each file survive: none, all, or every other one, as a cache may write them back in any order. */
const survivors: readonly ((index: number) => boolean)[] = [
  () => false,
  () => true,
  (index) => index % 2 === 0,
  (index) => index % 2 === 1,
];

/** A folder and everything below it, as the calls of a trace change it. */
class Disk {
  readonly #root: string;
  readonly #durable = new Map<string, Entry>();
  #pending: Step[] = [];
  #flushing: readonly Step[] = [];
  readonly #open = new Map<number, { readonly path: string; readonly entry: Entry; at: number }>();

  constructor(root: string, initial: DiskState) {
    this.#root = root;
    for (const [path, content] of initial)
      this.#durable.set(
        join(root, path.replace(/\/$/, "")),
        path.endsWith("/") ? "folder" : new Inode(Buffer.from(content)),
      );
  }

  carryOut(call: Call): void {
    const [first, second] = call.strings.map((bytes) => bytes.toString()).filter((path) => path.startsWith("/"));
    const descriptor = Number(/^(?:\w+\()?(\d+)/.exec(call.text)?.[1]);
    const file = this.#open.get(descriptor);
    if (call.moment === "begin") this.#beginFlush(file);
    else if (flushes.has(call.name)) this.#endFlush(file);
    else if (call.name.startsWith("open")) this.#openFile(call, first ?? "");
    else if (call.name === "close") this.#open.delete(descriptor);
    else if (/^(p?write)/.test(call.name)) this.#write(call, file);
    else if (call.name === "ftruncate" && file !== undefined) throw new Error("ftruncate is not replayed");
    else if (first !== undefined && this.#isInside(first)) this.#changeNames(call.name, first, second);
  }

  /** Every state in which a cut at this moment may leave the disk: unsynced steps and writes are there or not. */
  *states(): Generator<DiskState> {
    for (const steps of subsets(this.#pending)) {
      const entries = new Map(this.#durable);
      for (const { changes } of steps) setAll(entries, changes);
      for (const isKept of survivors) yield this.#describe(entries, isKept);
    }
  }

  #describe(entries: ReadonlyMap<string, Entry>, isKept: (index: number) => boolean): DiskState {
    const state = new Map<string, Buffer>();
    for (const [path, entry] of [...entries].sort(([left], [right]) => (left < right ? -1 : 1))) {
      const above = dirname(path);
      if (above !== this.#root && entries.get(above) !== "folder") continue;
      const name = path.slice(this.#root.length + 1);
      if (entry === "folder") state.set(`${name}/`, Buffer.alloc(0));
      else state.set(name, entry.content(isKept));
    }
    return state;
  }

  #isInside(path: string): boolean {
    return path.startsWith(`${this.#root}/`);
  }

  #now(): Map<string, Entry> {
    const entries = new Map(this.#durable);
    for (const { changes } of this.#pending) setAll(entries, changes);
    return entries;
  }

  #openFile({ text, result }: Call, path: string): void {
    if (path === this.#root) this.#open.set(result, { path, entry: "folder", at: 0 });
    if (!this.#isInside(path)) return;
    let entry = this.#now().get(path);
    if (text.includes("O_TRUNC") && entry !== undefined) throw new Error(`${path} is truncated in place`);
    if (entry === undefined) {
      entry = new Inode();
      this.#pending.push({ folder: dirname(path), changes: new Map([[path, entry]]) });
    }
    this.#open.set(result, { path, entry, at: 0 });
  }

  #write({ name, strings, text, result }: Call, file: { readonly entry: Entry; at: number } | undefined): void {
    if (file === undefined || file.entry === "folder") return;
    const positioned = name.startsWith("p");
    const at = positioned ? Number(/(\d+)$/.exec(text)?.[1]) : file.at;
    const bytes = Buffer.concat(strings).subarray(0, result);
    if (bytes.length < result) throw new Error(`the trace has ${bytes.length} of ${result} written bytes`);
    file.entry.write(at, bytes);
    if (!positioned) file.at += result;
  }

  #changeNames(name: string, first: string, second: string | undefined): void {
    const folder = dirname(first);
    if (name.startsWith("mkdir")) return this.#step(folder, [[first, "folder"]]);
    if (name.startsWith("unlink")) return this.#step(folder, [[first, undefined]]);
    const entry = this.#now().get(first);
    if (entry === undefined || second === undefined) throw new Error(`${name} of ${first}, which is not there`);
    if (name.startsWith("link")) return this.#step(dirname(second), [[second, entry]]);
    this.#step(folder, [
      [first, undefined],
      [second, entry],
    ]);
  }

  #step(folder: string, changes: readonly (readonly [string, Entry | undefined])[]): void {
    this.#pending.push({ folder, changes: new Map(changes) });
  }

  #beginFlush(file: { readonly path: string; readonly entry: Entry } | undefined): void {
    if (file === undefined) return;
    if (file.entry === "folder") this.#flushing = this.#pending.filter(({ folder }) => folder === file.path);
    else file.entry.beginFlush();
  }

  #endFlush(file: { readonly path: string; readonly entry: Entry } | undefined): void {
    if (file === undefined) return;
    if (file.entry !== "folder") return file.entry.endFlush();
    for (const { changes } of this.#flushing) setAll(this.#durable, changes);
    this.#pending = this.#pending.filter((step) => !this.#flushing.includes(step));
    this.#flushing = [];
  }
}

function setAll(entries: Map<string, Entry>, changes: ReadonlyMap<string, Entry | undefined>): void {
  for (const [path, entry] of changes)
    if (entry === undefined) entries.delete(path);
    else entries.set(path, entry);
}

/** A file system may write back the steps in any order, so that any of them may be missing. */
function* subsets(steps: readonly Step[]): Generator<readonly Step[]> {
  if (steps.length > 10) throw new Error(`${steps.length} steps were never flushed`);
  for (let mask = 0; mask < 2 ** steps.length; mask += 1)
    yield steps.filter((_, index) => Math.floor(mask / 2 ** index) % 2 === 1);
}

/** How a disk may look after a power cut, and how many moments and states were looked at. */
export interface PowerCuts {
  /** Different states, at any moment of the trace. */
  readonly states: readonly DiskState[];
  /** Those after the last call. */
  readonly last: readonly DiskState[];
  readonly moments: number;
}

/** Every state that a power cut at any moment of the trace may leave in the folder `root`, which began as `initial`. */
export function replayPowerCuts(trace: string, root: string, initial: DiskState): PowerCuts {
  const disk = new Disk(root, initial);
  const states = new Map<string, DiskState>();
  let moments = 0;
  const look = (): DiskState[] => {
    const seen = [...disk.states()];
    for (const state of seen) states.set(fingerprint(state), state);
    moments += 1;
    return seen;
  };
  let last = look();
  for (const call of parseTrace(trace)) {
    disk.carryOut(call);
    last = look();
  }
  return { states: [...states.values()], last, moments };
}

function fingerprint(state: DiskState): string {
  const hash = createHash("sha256");
  for (const [path, content] of state) hash.update(`${path}\0${content.length}\0`).update(content);
  return hash.digest("hex");
}

/** Long before the test, so that nothing counts as just being written. */
const before = new Date(Date.now() - 24 * 60 * 60 * 1000);

/** Writes a state into a folder. */
export function writeState(root: string, state: DiskState): void {
  mkdirSync(root, { recursive: true });
  for (const [path, content] of state) {
    if (path.endsWith("/")) mkdirSync(join(root, path));
    else writeFileSync(join(root, path), content);
    utimesSync(join(root, path), before, before);
  }
}
