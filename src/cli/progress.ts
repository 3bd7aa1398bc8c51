import { SingleBar } from "cli-progress";
import type { TaskObserver } from "../app/guarded-task.ts";
import { isTextLog, log } from "../app/log.ts";
import type { Settings } from "../config/settings.ts";
import type { WorkerEvent } from "../model/event.ts";
import type { StageName } from "../model/measurement.ts";
import { formatBytes, formatMemory, formatNumber, formatSeconds } from "../model/units.ts";
import { printNotices } from "./print.ts";
import { onStopSignals } from "./signals.ts";

/**
 * Shows the progress of a guarded task on stderr, as a bar on a terminal and as log lines elsewhere, and passes Ctrl-C and
 * SIGTERM on to the task.
 */
export function observeTask(subject: string, settings: ProgressSettings): TaskObserver {
  const display = chooseDisplay(subject, settings);
  let ignoreSignals = (): void => undefined;
  return {
    onStart: ({ interrupt }) => {
      ignoreSignals = onStopSignals(interrupt);
    },
    onEvent: (event) => display.onEvent(event),
    onSample: (workingSetBytes, ceilingBytes) => display.onSample(workingSetBytes, ceilingBytes),
    onWarning: (text) => display.onWarning(text),
    onEnd: () => {
      ignoreSignals();
      display.onEnd();
    },
  };
}

type ProgressSettings = Pick<Settings, "logEvery" | "quiet" | "verbose">;

function chooseDisplay(subject: string, { logEvery, quiet, verbose }: ProgressSettings): Display {
  const drawn = process.stderr.isTTY && isTextLog() && !quiet && !verbose;
  return drawn ? new ProgressBar() : new ProgressLog(subject, { every: verbose ? 1 : logEvery, stages: verbose });
}

/** Shows a sentence on stderr: as text on a terminal, as a line of the log elsewhere. */
export function printNotice(text: string): void {
  if (process.stderr.isTTY && isTextLog()) printNotices([text]);
  else log("warn", text);
}

type Display = Required<Omit<TaskObserver, "onStart">>;

class ProgressBar implements Display {
  readonly #bar = new SingleBar({
    format: "{stage} {bar} {value}/{total} tables{rate}{memory}{left}",
    hideCursor: true,
    clearOnComplete: true,
  });
  #stage: StageName | undefined;
  #since = 0;
  #memory = "";

  onEvent(event: WorkerEvent): void {
    if (event.type === "warning") this.onWarning(event.text);
    if (event.type !== "progress") return;
    if (event.stage !== this.#stage) {
      this.onEnd();
      this.#stage = event.stage;
      this.#since = performance.now();
      this.#bar.start(event.tables, 0, { stage: event.stage.padEnd(9), rate: "", memory: this.#memory, left: "" });
    }
    const seconds = (performance.now() - this.#since) / 1000;
    this.#bar.update(event.tablesDone, { ...describePace(event, seconds), memory: this.#memory });
  }

  onSample(workingSetBytes: number, ceilingBytes: number): void {
    this.#memory = `  ${formatMemory(workingSetBytes)} of ${formatMemory(ceilingBytes)}`;
    if (this.#stage !== undefined) this.#bar.update({ memory: this.#memory });
  }

  onWarning(text: string): void {
    this.onEnd();
    printNotices([text]);
  }

  onEnd(): void {
    if (this.#stage !== undefined) this.#bar.stop();
    this.#stage = undefined;
  }
}

/** How far a stage is. */
type Progress = Pick<
  Extract<WorkerEvent, { readonly type: "progress" }>,
  "tablesDone" | "tables" | "bytesDone" | "bytesTotal"
>;

/** The rate of a stage and the time that it still needs, where they are known after so many seconds. */
export function describePace(
  { tablesDone, tables, bytesDone, bytesTotal }: Progress,
  seconds: number,
): { readonly rate: string; readonly left: string } {
  const done = bytesTotal > 0 ? bytesDone / bytesTotal : tablesDone / Math.max(1, tables);
  return {
    rate: bytesDone > 0 && seconds > 0 ? `  ${formatBytes(bytesDone / seconds)}/s` : "",
    left: done > 0 && done < 1 ? `  ${formatSeconds((seconds * (1 - done)) / done)} left` : "",
  };
}

class ProgressLog implements Display {
  readonly #subject: string;
  readonly #every: number;
  /** Whether the beginning of each stage is a line. */
  readonly #stages: boolean;
  /** In bytes, once it was measured. */
  #memory: { readonly workingSetBytes: number; readonly ceilingBytes: number } | undefined;

  constructor(subject: string, { every, stages }: { readonly every: number; readonly stages: boolean }) {
    this.#subject = subject;
    this.#every = every;
    this.#stages = stages;
  }

  onEvent(event: WorkerEvent): void {
    if (event.type === "warning") this.onWarning(event.text);
    if (event.type === "stage" && this.#stages)
      log("info", `${event.stage} begins`, { stage: event.stage }, this.#subject);
    if (event.type !== "progress") return;
    const { stage, tablesDone, tables, bytesDone } = event;
    if (tablesDone === 0 || (tablesDone % this.#every !== 0 && tablesDone !== tables)) return;
    const memory = this.#memory;
    const used = memory && `, ${formatMemory(memory.workingSetBytes)} of ${formatMemory(memory.ceilingBytes)}`;
    log(
      "info",
      `${stage}: ${tablesDone} of ${formatNumber(tables, "table")}${used ?? ""}`,
      { stage, tablesDone, tables, bytesDone, ...memory },
      this.#subject,
    );
  }

  onSample(workingSetBytes: number, ceilingBytes: number): void {
    this.#memory = { workingSetBytes, ceilingBytes };
  }

  onWarning(text: string): void {
    log("warn", text, {}, this.#subject);
  }

  onEnd(): void {}
}
