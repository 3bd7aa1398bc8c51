import type { ExitCode } from "./exit-code.ts";
import type { Problem } from "./failure.ts";
import type { MemoryRecord, StageName } from "./measurement.ts";
import type { WorkerReport } from "./result.ts";
import type { Task } from "./task.ts";

/** Child → supervisor. */
export type WorkerEvent =
  | { readonly type: "stage"; readonly stage: StageName }
  | {
      readonly type: "progress";
      readonly stage: StageName;
      readonly tablesDone: number;
      readonly tables: number;
      readonly bytesDone: number;
      readonly bytesTotal: number;
    }
  /** Something that a person should look at; the merge goes on. */
  | { readonly type: "warning"; readonly text: string }
  /** Asks for the memory measured so far; answered with a "memory" order. */
  | { readonly type: "askMemory" }
  | { readonly type: "report"; readonly report: WorkerReport }
  | { readonly type: "failure"; readonly exitCode: ExitCode; readonly problems: readonly Problem[] };

/** Supervisor → child. */
export type Order =
  /** The first message. */
  | { readonly type: "task"; readonly task: Task }
  | { readonly type: "memory"; readonly memory: MemoryRecord }
  /** The working set has passed the warning level: process fewer tables at a time. */
  | { readonly type: "slowDown" }
  /** Stop, remove staged files, and exit with this code. */
  | { readonly type: "stop"; readonly exitCode: ExitCode; readonly problem: Problem };
