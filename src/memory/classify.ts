import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import type { MemoryRecord, MemorySample } from "../model/measurement.ts";
import type { WorkerReport } from "../model/result.ts";
import { formatMemory } from "../model/units.ts";

/** A stop with its exit code and its reasons. */
export interface Stop {
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
}

/** All facts about the end of a child. */
export interface EndFacts {
  /** Exit code of the process; null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly report?: WorkerReport;
  /** The failure that the child reported. */
  readonly failure?: Stop;
  /** The reason for which the supervisor stopped it. */
  readonly stoppedFor?: Stop;
  /** Increase of the kernel's count of out-of-memory kills since the child started. */
  readonly oomKills: number;
  readonly memory: MemoryRecord;
  /** The end of what the child wrote to stderr. */
  readonly lastStderr: string;
}

/** Signals by the exit code that shells and container runtimes give them (128 + number). */
const signalOfCode: Readonly<Record<number, NodeJS.Signals>> = {
  130: "SIGINT",
  134: "SIGABRT",
  137: "SIGKILL",
  143: "SIGTERM",
};

/** Messages of allocators whose request for memory was refused, and which library has the allocator. */
const allocationErrors: readonly (readonly [RegExp, string])[] = [
  [/memory allocation of \d+ bytes failed/, "Polars"],
  [/JavaScript heap out of memory|Fatal process out of memory|Reached heap limit/, "V8"],
  [/Array buffer allocation failed|Failed to allocate memory/, "Node"],
  [/std::bad_alloc|Cannot allocate memory|ENOMEM/, "the C library"],
];

/** Messages about a process or a thread that the kernel refused: RLIMIT_NPROC, or the limit of a control group. */
const threadErrors =
  /pthread_create|uv_thread_create|\bEAGAIN\b|Resource temporarily unavailable|failed to spawn thread/;

/** The advice for every end for want of memory. */
export const raiseCeiling = "raise memoryCeiling and the container's limit, or extract smaller tables";

/**
 * One exit code for the end of a child, and its problems; there are none only with `ExitCode.done`. The child's own report
 * comes first, then the reason for which it was stopped, then the exit code, the signal and the last messages.
 */
export function classifyEnd(facts: EndFacts): Stop {
  if (facts.failure !== undefined) return refineFailure(facts.failure, facts);
  if (facts.report !== undefined) {
    const reported = classifyReport(facts.report, facts.exitCode);
    if (reported !== undefined) return reported;
  }
  return (
    facts.stoppedFor ??
    classifyAllocation(facts) ??
    classifyKill(facts) ??
    classifyThreads(facts) ??
    classifyOther(facts)
  );
}

/** A refused Buffer is an exception that JavaScript can catch, so the child reports it as unexpected. */
function refineFailure(failure: Stop, facts: EndFacts): Stop {
  if (failure.exitCode !== ExitCode.unexpected) return failure;
  const found = failure.problems.map((problem) => problem.found ?? "").join("\n");
  return classifyAllocation({ ...facts, lastStderr: found }) ?? failure;
}

/** A report counts only with a regular exit; with codes other than 0, the problems are those of the report. */
function classifyReport(report: WorkerReport, exitCode: number | null): Stop | undefined {
  const code = Object.values(ExitCode).find((known) => known === exitCode);
  if (code === undefined) return undefined;
  const problems = listProblems(report);
  return code === ExitCode.done || problems.length > 0 ? { exitCode: code, problems } : undefined;
}

function listProblems(report: WorkerReport): readonly Problem[] {
  if (report.command === "merge") return report.result.problems;
  return report.command === "verify" ? report.verification.problems : [];
}

function classifyAllocation(facts: EndFacts): Stop | undefined {
  for (const [pattern, owner] of allocationErrors) {
    const line = findLine(facts.lastStderr, pattern);
    if (line !== undefined) return stopForMemory(`${owner} was refused memory`, line, facts.memory);
  }
  return undefined;
}

/** A SIGKILL that the supervisor did not send: the kernel's out-of-memory killer, proven by its counter or only likely. */
function classifyKill(facts: EndFacts): Stop | undefined {
  const signal = findSignal(facts);
  if (signal === "SIGKILL" && facts.oomKills > 0) {
    const found = `${describeEnd(facts)}, and the out-of-memory counter of its control group rose by ${facts.oomKills}`;
    return stopForMemory("the kernel's out-of-memory killer ended the merge", found, facts.memory);
  }
  if (signal !== "SIGKILL") return undefined;
  const what = "the merge was killed from outside, by the machine's out-of-memory killer or by a person";
  return stopForMemory(what, `${describeEnd(facts)}, and no out-of-memory kill was counted`, facts.memory);
}

/** Other processes of the same user count as well, so the next try may succeed. */
function classifyThreads(facts: EndFacts): Stop | undefined {
  const line = findLine(facts.lastStderr, threadErrors);
  if (line === undefined) return undefined;
  const fix = "raise `ulimit -u` or the container's limit of processes, or end other processes, then run again";
  return stopFor(ExitCode.transient, "no further process or thread could be started", line, fix);
}

function classifyOther(facts: EndFacts): Stop {
  const signal = findSignal(facts);
  if (signal === "SIGINT" || signal === "SIGTERM") {
    const exitCode = signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated;
    return stopFor(exitCode, "the merge was ended from outside", describeEnd(facts), "run again: it finishes the work");
  }
  const found = facts.exitCode === 0 ? "exit code 0 without a report" : describeEnd(facts);
  const words =
    findLine(facts.lastStderr, /Error\b.*:|panicked at|FATAL/) ?? facts.lastStderr.trim().split("\n").at(-1);
  const text = words === undefined || words === "" ? found : `${found}; last words: ${words}`;
  return stopFor(
    ExitCode.unexpected,
    "the merge ended unexpectedly",
    text,
    "run again; if that does not help, report it",
  );
}

function findSignal({ signal, exitCode }: EndFacts): NodeJS.Signals | undefined {
  return signal ?? signalOfCode[exitCode ?? 0];
}

function describeEnd(facts: EndFacts): string {
  return facts.signal === null ? `exit code ${facts.exitCode}` : `signal ${facts.signal}`;
}

function stopForMemory(what: string, found: string, memory: MemoryRecord): Stop {
  return stopFor(ExitCode.memory, what, `${found}; ${describeMemory(memory)}`, raiseCeiling);
}

function stopFor(exitCode: ExitCode, what: string, found: string, fix: string): Stop {
  return { exitCode, problems: [{ what, found, fix }] };
}

/** "peak 1.20 GiB of 2.00 GiB, last samples 1.10 GiB at 3.1 s, 1.20 GiB at 3.2 s". */
export function describeMemory(memory: MemoryRecord): string {
  const peak = `peak ${formatMemory(memory.peakBytes)} of ${formatMemory(memory.ceilingBytes)}`;
  const samples = memory.samples.slice(-5).map(describeSample);
  return samples.length === 0 ? peak : `${peak}, last samples ${samples.join(", ")}`;
}

function describeSample({ bytes, seconds }: MemorySample): string {
  return `${formatMemory(bytes)} at ${seconds.toFixed(1)} s`;
}

function findLine(text: string, pattern: RegExp): string | undefined {
  return text
    .split("\n")
    .find((line) => pattern.test(line))
    ?.trim();
}
