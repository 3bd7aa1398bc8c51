import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { readResident } from "./proc.ts";
import { root } from "./workspace.ts";

const compileCache = join(root, ".toolchain/compile-cache");

/** How a controller ended: seconds, and the peak of its own resident set, without its workers. */
export interface ControllerEnd {
  readonly seconds: number;
  readonly exitCode: number;
  readonly peakBytes: number;
}

export interface Controller {
  readonly ended: Promise<ControllerEnd>;
  /** Sends SIGKILL after so many milliseconds; true if the controller had ended by itself before. */
  killAfter(milliseconds: number): Promise<boolean>;
}

/** Starts a controller with the compile cache that `bin/widemerge` uses. Its workers can outlive it. */
export function startController(command: readonly string[]): Controller {
  const [program = "", ...args] = command;
  const started = performance.now();
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, NODE_COMPILE_CACHE: compileCache } });
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, readResident(child.pid ?? -1).peak);
  }, 50);
  const ended = once(child, "exit").then(([code]) => {
    clearInterval(timer);
    return { seconds: (performance.now() - started) / 1000, exitCode: Number(code ?? -1), peakBytes };
  });
  return {
    ended,
    async killAfter(milliseconds) {
      const first = await Promise.race([ended.then(() => true), setTimeout(milliseconds, false)]);
      child.kill("SIGKILL");
      await ended;
      return first;
    },
  };
}
