import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { listTree, readCpu, readResident } from "./proc.ts";

/** One run of one contender; bytes and seconds. */
export interface Run {
  readonly seconds: number;
  /** CPU seconds of all its processes, each as it was sampled last. */
  readonly cpuSeconds: number;
  /** The largest sum of the resident sets of all its processes at one instant; at least the peak of each process. */
  readonly peakBytes: number;
  /** The same without pages mapped from files (program text, mapped inputs), which the kernel can reclaim. */
  readonly peakPrivateBytes: number;
  /** Why it failed; absent if it succeeded. */
  readonly failure?: string;
  readonly stdout: string;
}

export interface Caps {
  /** RLIMIT_DATA of each process. */
  readonly dataBytes: number;
  /** All processes together. They are killed above it, so that the machine survives. */
  readonly totalBytes: number;
  readonly seconds: number;
}

const sampleEvery = 20;

/** Runs a command to its end and samples its process tree every 20 ms; used for all contenders alike. */
export async function measure(command: readonly string[], caps: Caps, log: string): Promise<Run> {
  const started = process.hrtime.bigint();
  const child = spawn("prlimit", [`--data=${caps.dataBytes}`, "--", ...command], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output = collect(child, log);
  const meter = new Meter(child.pid ?? -1);
  meter.sample();
  let killed: string | undefined;
  const timer = setInterval(() => {
    const bytes = meter.sample();
    const late = Number(process.hrtime.bigint() - started) / 1e9 > caps.seconds;
    if (killed !== undefined || (bytes <= caps.totalBytes && !late)) return;
    killed = late ? `not done after ${caps.seconds} s` : `over the cap of ${Math.round(caps.totalBytes / 2 ** 30)} GiB`;
    for (const pid of meter.pids) endProcess(pid);
  }, sampleEvery);
  const ending = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === 0 ? undefined : describeEnd(code, signal, output.stderr)));
  });
  clearInterval(timer);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const failure = killed ?? ending;
  return { seconds, ...meter.totals(), stdout: output.stdout, ...(failure === undefined ? {} : { failure }) };
}

/** Sums the resident sets and the CPU time of a process and its descendants. */
class Meter {
  readonly #root: number;
  readonly #highWater = new Map<number, number>();
  readonly #cpu = new Map<number, number>();
  #peak = 0;
  #peakPrivate = 0;
  pids: number[] = [];

  constructor(root: number) {
    this.#root = root;
  }

  sample(): number {
    this.pids = listTree(this.#root);
    let [total, fromFiles] = [0, 0];
    for (const pid of this.pids) {
      const resident = readResident(pid);
      total += resident.now;
      fromFiles += resident.fromFiles;
      this.#highWater.set(pid, Math.max(this.#highWater.get(pid) ?? 0, resident.peak));
      this.#cpu.set(pid, Math.max(this.#cpu.get(pid) ?? 0, readCpu(pid)));
    }
    this.#peak = Math.max(this.#peak, total);
    this.#peakPrivate = Math.max(this.#peakPrivate, total - fromFiles);
    return total;
  }

  totals(): { cpuSeconds: number; peakBytes: number; peakPrivateBytes: number } {
    return {
      cpuSeconds: [...this.#cpu.values()].reduce((sum, seconds) => sum + seconds, 0),
      peakBytes: Math.max(this.#peak, ...this.#highWater.values()),
      peakPrivateBytes: this.#peakPrivate,
    };
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended by itself.
  }
}

function collect(child: ReturnType<typeof spawn>, log: string): { stdout: string; stderr: string } {
  const kept = { stdout: "", stderr: "" };
  const file = createWriteStream(log);
  child.stdout?.on("data", (chunk: Buffer) => {
    kept.stdout += chunk.toString();
    file.write(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    kept.stderr = (kept.stderr + chunk.toString()).slice(-2000);
    file.write(chunk);
  });
  child.on("close", () => file.end());
  return kept;
}

function describeEnd(code: number | null, signal: string | null, stderr: string): string {
  const lines = stderr
    .trim()
    .split("\n")
    .filter((line) => !/^\s*(File|at) /.test(line));
  const telling = lines.findLast((line) => /error|memory|failed|killed|panick/i.test(line)) ?? lines.at(-1) ?? "";
  return `${signal ?? `exit ${code}`}: ${telling.trim().slice(0, 200)}`;
}
