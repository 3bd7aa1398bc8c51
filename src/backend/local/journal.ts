import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure } from "../../model/failure.ts";
import { Attempt as AttemptName } from "../../model/names.ts";
import { decodeOutcome, type WorkerOutcome } from "../../model/outcome.ts";
import { decodeProgress, type TaskProgress } from "../../model/progress.ts";
import type { Attempt, Launch, TaskState } from "../../model/run.ts";
import {
  attemptEntries,
  checkDocument,
  count,
  documentFix,
  fields,
  flag,
  LaunchDocument,
  taskEntries,
  text,
} from "../../model/run-documents.ts";
import type { ProcessId } from "./process.ts";

/** An attempt and its process; an attempt without one was about to start. */
export type LocalAttempt = Attempt & { readonly process?: ProcessId };

/** A worker's number: signals to 0, to 1 and to negative numbers reach other processes. */
const pid = v.pipe(count, v.minValue(2, "the number of a worker's process"));
const LocalAttempt = fields({
  ...attemptEntries,
  process: v.exactOptional(fields({ pid, start: v.exactOptional(text) })),
});

/** `<index>.json`: one task. */
export interface TaskEntry {
  readonly index: number;
  readonly pair: string;
  readonly state: TaskState;
  readonly attempts: readonly LocalAttempt[];
}
const TaskEntry: v.GenericSchema<unknown, TaskEntry> = fields(taskEntries(LocalAttempt));

/** Paths of the files that a worker writes. */
export interface WorkerFiles {
  readonly log: string;
  readonly progress: string;
  readonly outcome: string;
}

/** `launch.json` */
interface LaunchEntry {
  readonly launch: Launch;
  readonly cancelled: boolean;
  /** The latest generation whose controller carries the launch out; absent in entries of version 0.1.0. */
  readonly generation?: number;
}
const LaunchEntry: v.GenericSchema<unknown, LaunchEntry> = fields({
  launch: LaunchDocument,
  cancelled: flag,
  generation: v.exactOptional(count),
});

/**
 * A launch on disk: every start is written down before it happens, and every end after it. The files are small and
 * replaced by a rename, so a kill leaves the old one or the new one.
 */
export class Journal {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Begins a launch for the controller of this generation, or finds it.
   * @throws Failure (usage) if the number belongs to another launch; Failure (superseded) if a later controller has it
   */
  begin(launch: Launch, generation = 0): void {
    mkdirSync(this.folder, { recursive: true });
    const known = this.readLaunch();
    if (this.isReplaced(generation)) throw replaced(launch);
    const entry = known ?? { launch, cancelled: false };
    if (isDeepStrictEqual(entry.launch, JSON.parse(JSON.stringify(launch))))
      return this.#write("launch.json", { ...entry, generation });
    const problem = {
      what: `launch ${launch.number} of run ${launch.run} was started with other pairs or another ceiling`,
      found: join(this.folder, "launch.json"),
      fix: "choose another --run",
    };
    throw new Failure(ExitCode.usage, [problem]);
  }

  /** @throws Failure (input) where somebody else has changed the journal, here and below */
  readLaunch(): LaunchEntry | undefined {
    return this.#read(LaunchEntry, "launch.json");
  }

  markCancelled(launch: Launch): void {
    mkdirSync(this.folder, { recursive: true });
    this.#write("launch.json", { ...this.readLaunch(), launch, cancelled: true });
  }

  /** Whether a later controller has taken the launch over from that of this generation. */
  isReplaced(generation = 0): boolean {
    return (this.readLaunch()?.generation ?? 0) > generation;
  }

  readTask(index: number): TaskEntry | undefined {
    return this.#read(TaskEntry, `${index}.json`);
  }

  writeTask(entry: TaskEntry): void {
    this.#write(`${entry.index}.json`, entry);
  }

  /** The files that an attempt's worker writes. @throws Failure (input) if its id, read from the journal, leads elsewhere */
  filesOf(attempt: string): WorkerFiles {
    if (!v.is(AttemptName, attempt)) throw notAnAttempt(attempt, this.folder);
    const path = (kind: string) => join(this.folder, `${attempt}.${kind}`);
    return { log: path("log"), progress: path("progress.json"), outcome: path("outcome.json") };
  }

  /** What the worker of an attempt left; undefined where it was killed before that. */
  readOutcome(attempt: string): WorkerOutcome | undefined {
    return readLeft(this.filesOf(attempt).outcome, decodeOutcome);
  }

  /** How far the worker of an attempt has got; undefined until it has said so for the first time. */
  readProgress(attempt: string): TaskProgress | undefined {
    return readLeft(this.filesOf(attempt).progress, decodeProgress);
  }

  #read<Kind>(schema: v.GenericSchema<unknown, Kind>, name: string): Kind | undefined {
    const path = join(this.folder, name);
    try {
      const entry: unknown = JSON.parse(readFileSync(path, "utf8"));
      if (v.is(schema, entry)) return entry as Kind;
      throw new Failure(ExitCode.input, checkDocument(schema, entry, path));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      if (!(error instanceof SyntaxError)) throw error;
      throw new Failure(ExitCode.input, [{ what: `${path} is no JSON`, fix: documentFix }]);
    }
  }

  #write(name: string, content: object): void {
    const path = join(this.folder, name);
    const staged = `${path}.${process.pid}`;
    writeFileSync(staged, JSON.stringify(content));
    renameSync(staged, path);
  }
}

function notAnAttempt(id: string, folder: string): Failure {
  const fix = "the files in this folder were changed: remove it, and start the run again";
  return new Failure(ExitCode.input, [
    { what: `${folder} names an attempt that cannot be one`, found: JSON.stringify(id), fix },
  ]);
}

function replaced({ run, number }: Launch): Failure {
  const fix = "nothing is lost: that controller continues the run";
  return new Failure(ExitCode.superseded, [
    { what: `another controller carries out launch ${number} of run ${run}`, fix },
  ]);
}

/** A worker may be killed at any time, and a person may remove its files: what cannot be read was not left. */
function readLeft<Content>(path: string, decode: (text: string) => Content): Content | undefined {
  try {
    return decode(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
