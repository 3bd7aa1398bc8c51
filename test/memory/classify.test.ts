import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classifyEnd, type EndFacts } from "../../src/memory/classify.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import type { Problem } from "../../src/model/failure.ts";
import type { WorkerReport } from "../../src/model/result.ts";

const memory = {
  source: "rss",
  peakBytes: 3 * 2 ** 30,
  ceilingBytes: 4 * 2 ** 30,
  warnings: 0,
  samples: [{ seconds: 1.25, bytes: 2 ** 30 }],
} as const;
const quiet: EndFacts = { exitCode: 0, signal: null, oomKills: 0, memory, lastStderr: "" };
const report = { command: "plan", plan: {} } as unknown as WorkerReport;
const problem: Problem = { what: "broken", found: "a thing", fix: "mend it" };
const found = { what: "values differ", found: "1", fix: "look" };
const verification = { command: "verify", verification: { problems: [found] } } as unknown as WorkerReport;
const refused = { exitCode: ExitCode.unexpected, problems: [{ ...problem, found: "Array buffer allocation failed" }] };
const ceiling = { exitCode: ExitCode.memory, problems: [{ ...problem, what: "ceiling reached" }] };
const interrupt = { exitCode: ExitCode.interrupted, problems: [{ ...problem, what: "SIGINT came" }] };

const cases: readonly (readonly [string, Partial<EndFacts>, ExitCode, RegExp | undefined])[] = [
  ["done", { report }, ExitCode.done, undefined],
  ["done before the order to stop arrived", { report, stoppedFor: ceiling }, ExitCode.done, undefined],
  [
    "a report with problems and their code",
    { report: verification, exitCode: 5 },
    ExitCode.verification,
    /values differ/,
  ],
  ["a report, then a kill", { report, exitCode: null, signal: "SIGKILL" }, ExitCode.memory, /killed from outside/],
  ["no report", {}, ExitCode.unexpected, /exit code 0 without a report/],
  ["a failure of its own", { exitCode: 3, failure: { exitCode: 3, problems: [problem] } }, ExitCode.input, /broken/],
  [
    "a failure before a kill",
    { signal: "SIGKILL", exitCode: null, failure: ceiling },
    ExitCode.memory,
    /ceiling reached/,
  ],
  ["a refused buffer that was caught", { exitCode: 1, failure: refused }, ExitCode.memory, /Node was refused memory/],
  [
    "Polars, by signal",
    { exitCode: null, signal: "SIGABRT", lastStderr: "x\nmemory allocation of 512 bytes failed\n" },
    ExitCode.memory,
    /Polars was refused memory.*memory allocation of 512 bytes failed.*peak 3.00 GiB of 4.00 GiB.*1.00 GiB at 1.3 s/,
  ],
  ["Polars, by code", { exitCode: 134, lastStderr: "memory allocation of 9 bytes failed" }, ExitCode.memory, /Polars/],
  [
    "V8",
    {
      exitCode: null,
      signal: "SIGABRT",
      lastStderr: "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    },
    ExitCode.memory,
    /V8 was refused memory/,
  ],
  [
    "a buffer",
    { exitCode: 1, lastStderr: "RangeError: Array buffer allocation failed" },
    ExitCode.memory,
    /Node was refused/,
  ],
  [
    "an abort for another reason",
    { exitCode: null, signal: "SIGABRT", lastStderr: "assertion" },
    ExitCode.unexpected,
    /SIGABRT; last words: assertion/,
  ],
  [
    "out of memory, counted",
    { exitCode: null, signal: "SIGKILL", oomKills: 1 },
    ExitCode.memory,
    /kernel's out-of-memory killer.*rose by 1/,
  ],
  ["out of memory, by code", { exitCode: 137, oomKills: 2 }, ExitCode.memory, /rose by 2/],
  [
    "killed, nothing counted",
    { exitCode: null, signal: "SIGKILL" },
    ExitCode.memory,
    /killed from outside.*no out-of-memory kill was counted/,
  ],
  [
    "killed by us at the ceiling",
    { exitCode: null, signal: "SIGKILL", stoppedFor: ceiling },
    ExitCode.memory,
    /ceiling reached/,
  ],
  [
    "killed by us after SIGINT",
    { exitCode: null, signal: "SIGKILL", stoppedFor: interrupt },
    ExitCode.interrupted,
    /SIGINT came/,
  ],
  ["stopped, and ended with its code", { exitCode: 130, stoppedFor: interrupt }, ExitCode.interrupted, /SIGINT came/],
  ["SIGINT of its own", { exitCode: null, signal: "SIGINT" }, ExitCode.interrupted, /ended from outside/],
  ["SIGTERM of its own", { exitCode: 143 }, ExitCode.terminated, /ended from outside/],
  ["a crash", { exitCode: null, signal: "SIGSEGV" }, ExitCode.unexpected, /signal SIGSEGV/],
  [
    "an exit code alone",
    { exitCode: 3, lastStderr: "a\nTypeError: no\n  at b" },
    ExitCode.unexpected,
    /exit code 3; last words: TypeError: no/,
  ],
  ["never started", { exitCode: null, lastStderr: "spawn ENOENT" }, ExitCode.unexpected, /last words: spawn ENOENT/],
  ["refused as a process", { exitCode: null, lastStderr: "spawn EAGAIN" }, ExitCode.transient, /spawn EAGAIN; raise/],
  [
    "refused a thread",
    { exitCode: null, signal: "SIGABRT", lastStderr: "node[7]: pthread_create: Resource temporarily unavailable" },
    ExitCode.transient,
    /no further process or thread could be started: node.*; raise `ulimit -u`/,
  ],
];

describe("how a child ended", () => {
  for (const [name, facts, exitCode, text] of cases) {
    it(name, () => {
      const end = classifyEnd({ ...quiet, ...facts });
      assert.equal(end.exitCode, exitCode);
      if (text === undefined) assert.deepEqual(end.problems, []);
      else assert.match(end.problems.map((one) => `${one.what}: ${one.found}; ${one.fix}`).join("\n"), text);
    });
  }
});
