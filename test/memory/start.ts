import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { Settings } from "../../src/config/settings.ts";
import { resolveCeiling } from "../../src/memory/ceiling.ts";
import { readLimits } from "../../src/memory/limits.ts";
import { type ChildEnd, type SuperviseOptions, type Supervision, supervise } from "../../src/memory/supervise.ts";
import type { WorkerEvent } from "../../src/model/event.ts";
import type { Task } from "../../src/model/task.ts";
import { waitFor } from "../support/wait.ts";

const modulePath = fileURLToPath(new URL("child.ts", import.meta.url));

/** A child under supervision, and everything that came from it. */
export interface Started {
  readonly supervision: Supervision;
  readonly events: WorkerEvent[];
  readonly notices: string[];
  readonly levels: string[];
  readonly stderr: () => string;
}

/** Starts the test child under a ceiling in MiB, 512 unless given; `act` is what it does. */
export function startChild(act: string, options: Partial<SuperviseOptions> = {}, ceilingMebibytes = 512): Started {
  const limits = options.limits ?? readLimits();
  const settings = v.parse(Settings, { memoryCeiling: ceilingMebibytes * 2 ** 20 });
  const events: WorkerEvent[] = [];
  const notices: string[] = [];
  const levels: string[] = [];
  let text = "";
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const { ceiling } = resolveCeiling(settings, limits);
  const supervision = supervise({
    modulePath,
    execArgv: ["--no-warnings"],
    task: toTask(act, settings, ceiling.ceilingBytes),
    ceiling,
    limits,
    stderr,
    onEvent: (event) => events.push(event),
    onNotice: (notice) => notices.push(notice),
    onSample: (_, level) => levels.push(level),
    ...options,
  });
  return { supervision, events, notices, levels, stderr: () => text };
}

/** Runs the test child to its end. */
export async function runChild(
  act: string,
  options: Partial<SuperviseOptions> = {},
  ceilingMebibytes?: number,
): Promise<Started & { end: ChildEnd }> {
  const started = startChild(act, options, ceilingMebibytes);
  return { ...started, end: await started.supervision.ended };
}

/** Resolves with the first pair of numbers that the child notes. */
export async function waitForNote(started: Started): Promise<{ bytesDone: number; bytesTotal: number }> {
  const findNote = () => started.events.find((event) => event.type === "progress");
  return await waitFor(findNote, { what: "a note of the child", everyMilliseconds: 10 });
}

/** Problems of an end as one text. */
export function textOf(end: ChildEnd): string {
  return end.problems.map(({ what, found, fix }) => `${what}: ${found}; ${fix}`).join("\n");
}

function toTask(act: string, settings: Settings, ceilingBytes: number): Task {
  return { command: "merge", pair: act, settings, limits: { cpus: 1, ceilingBytes, baselineBytes: 0 } };
}
