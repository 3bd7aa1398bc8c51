import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ceiling } from "./ceiling.ts";
import { limitCommand } from "./command.ts";
import type { Limits } from "./limits.ts";

export interface ChildOptions {
  /** The module that the child runs. */
  readonly modulePath: string;
  /** Options for the child's Node. */
  readonly execArgv?: readonly string[];
  /** The child's environment; this process's unless given. POLARS_MAX_THREADS is added where it is missing. */
  readonly env?: NodeJS.ProcessEnv;
  readonly ceiling: Ceiling;
  readonly limits: Limits;
  /** Receives a sentence for the log about each limit that this machine cannot set. */
  readonly onNotice?: (text: string) => void;
}

/** A process that outlives the child can hold its pipes open for ever. */
const drainMs = 2000;

/** Starts Node under the ceiling's data limit, with a message channel and a pipe for stderr. */
export function startChild(options: ChildOptions): ChildProcess {
  const { modulePath, execArgv = [], env = process.env, ceiling, limits, onNotice } = options;
  const threads = Number(env.POLARS_MAX_THREADS) || limits.cpus;
  const command = limitCommand([...execArgv, modulePath], ceiling.ceilingBytes, threads);
  for (const text of command.notices) onNotice?.(text);
  const child = spawn(command.program, command.args, {
    env: { ...env, POLARS_MAX_THREADS: String(threads) },
    // The supervisor's stdout is for results alone, so the child's stdout goes to stderr.
    stdio: ["ignore", 2, "pipe", "ipc"],
    serialization: "advanced",
  });
  // waitForEnd reports a start that failed; a signal to a process that has ended is no error.
  return child.on("error", () => undefined);
}

/** Exit code and signal, after the child's pipes and its message channel were read to the end. Rejects if it never ran. */
export async function waitForEnd(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  const closed = once(child, "close");
  const disconnected = child.connected ? once(child, "disconnect") : undefined;
  closed.catch(() => undefined);
  disconnected?.catch(() => undefined);
  const [exitCode, signal] = await once(child, "exit");
  const drain = new AbortController();
  await Promise.race([Promise.all([closed, disconnected]), sleep(drainMs, undefined, { signal: drain.signal })]);
  drain.abort();
  child.stderr?.destroy();
  return [exitCode, signal];
}
