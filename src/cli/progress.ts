import { SingleBar } from "cli-progress";
import { log } from "../app/log.ts";
import type { StageName, WorkerEvent } from "../model/event.ts";
import { formatBytes, formatMemory } from "../model/units.ts";

/** Shows how a supervised task gets on: a bar on a terminal, log lines elsewhere. Everything goes to stderr. */
export interface Progress {
  event(event: WorkerEvent): void;
  /** Working set in bytes, ten times a second. */
  sample(bytes: number): void;
  warn(message: string): void;
  end(): void;
}

/** The progress display that fits where stderr goes. */
export function showProgress(pair: string, ceilingBytes: number, logEvery: number): Progress {
  return process.stderr.isTTY ? new BarProgress(ceilingBytes) : new LogProgress(pair, ceilingBytes, logEvery);
}

class BarProgress implements Progress {
  private readonly bar = new SingleBar({
    format: "{stage} {bar} {value}/{total} tables  {rate}{memory}  {eta_formatted} left",
    hideCursor: true,
    clearOnComplete: true,
  });
  private readonly ceilingBytes: number;
  private shown: StageName | undefined;
  private since = 0;
  private memory = "";

  constructor(ceilingBytes: number) {
    this.ceilingBytes = ceilingBytes;
  }

  event(event: WorkerEvent): void {
    if (event.type !== "progress") return;
    if (event.stage !== this.shown) {
      this.end();
      this.shown = event.stage;
      this.since = performance.now();
      this.bar.start(event.tables, 0, { stage: event.stage.padEnd(9), rate: "", memory: this.memory });
    }
    const seconds = (performance.now() - this.since) / 1000;
    this.bar.update(event.tablesDone, {
      rate: event.bytesTotal > 0 && seconds > 0 ? `${formatBytes(event.bytesDone / seconds)}/s  ` : "",
      memory: this.memory,
    });
  }

  sample(bytes: number): void {
    this.memory = `${formatMemory(bytes)} of ${formatMemory(this.ceilingBytes)}`;
    if (this.shown !== undefined) this.bar.update({ memory: this.memory });
  }

  warn(message: string): void {
    this.end();
    process.stderr.write(`${message}\n`);
  }

  end(): void {
    if (this.shown !== undefined) this.bar.stop();
    this.shown = undefined;
  }
}

class LogProgress implements Progress {
  private readonly pair: string;
  private readonly ceilingBytes: number;
  private readonly every: number;
  private workingSet = 0;

  constructor(pair: string, ceilingBytes: number, every: number) {
    this.pair = pair;
    this.ceilingBytes = ceilingBytes;
    this.every = every;
  }

  event(event: WorkerEvent): void {
    if (event.type !== "progress") return;
    const { stage, tablesDone, tables, bytesDone } = event;
    if (tablesDone === 0 || (tablesDone % this.every !== 0 && tablesDone !== tables)) return;
    const { workingSet, ceilingBytes } = this;
    log(
      "info",
      `${stage}: ${tablesDone} of ${tables} tables, ${formatMemory(workingSet)} of ${formatMemory(ceilingBytes)}`,
      { stage, tablesDone, tables, bytesDone, workingSetBytes: workingSet, ceilingBytes },
      this.pair,
    );
  }

  sample(bytes: number): void {
    this.workingSet = bytes;
  }

  warn(message: string): void {
    log("warn", message, {}, this.pair);
  }

  end(): void {}
}
