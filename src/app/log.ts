/** The log of this process on stderr: text for people, or one JSON object a line with the fields that Cloud Logging takes for its own. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { pino } from "pino";
import { describeProblem, type Problem } from "../model/failure.ts";
import { hideSecrets } from "../model/secrets.ts";
import { escapeJson, makeVisible } from "../model/visible.ts";

/** The subject of this process. Fields that are unknown are left out of its lines. */
interface LogSubject {
  /** Google Cloud project that traces are named in. */
  readonly project?: string | undefined;
  readonly output?: string | undefined;
  readonly run?: string | undefined;
  readonly pair?: string | undefined;
}

const severities: Readonly<Record<string, string>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

const logger = pino(
  {
    base: null,
    messageKey: "message",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ severity: severities[label] ?? "DEFAULT" }) },
    hooks: { streamWrite: (line) => escapeJson(hideSecrets(line)) },
  },
  pino.destination({ fd: 2, sync: true }),
);

let subject: LogSubject = {};

type LogFormat = "text" | "json";
export interface LogSettings {
  readonly log: "auto" | LogFormat;
  /** Only warnings and errors. */
  readonly quiet: boolean;
}

let format: LogFormat = detectFormat();
let leastLevel: "info" | "warn" = "info";

/** Sets the format of all lines from now on, and how many of them are written. */
export function configureLog({ log: wanted, quiet }: LogSettings): void {
  format = wanted === "auto" ? detectFormat() : wanted;
  leastLevel = quiet ? "warn" : "info";
}

/** Whether the lines are for people. */
export function isTextLog(): boolean {
  return format === "text";
}

/**
 * JSON where a platform collects the lines: on Kubernetes, on Cloud Run and in other containers. Text on a terminal and in
 * the log of a continuous integration, which runs in a container too.
 */
function detectFormat(): LogFormat {
  const asked = process.env.WIDEMERGE_LOG;
  // Settings can be wrong before they say which format is wanted.
  if (asked === "text" || asked === "json") return asked;
  const { KUBERNETES_SERVICE_HOST, CLOUD_RUN_JOB, K_SERVICE, CI } = process.env;
  if (process.stderr.isTTY) return "text";
  if (KUBERNETES_SERVICE_HOST || CLOUD_RUN_JOB || K_SERVICE) return "json";
  return !CI && ["/.dockerenv", "/run/.containerenv"].some((path) => existsSync(path)) ? "json" : "text";
}

/** Sets the subject of all further lines. Fields that are absent keep their values. */
export function logAbout(about: LogSubject): void {
  subject = { ...subject, ...about };
}

/** Writes a line; its message is one sentence that begins with the pair where it is about one. */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
  pair = subject.pair,
): void {
  if (level === "info" && leastLevel === "warn") return;
  const sentence = message.trim().replace(/\s*\n\s*/g, " ");
  if (isTextLog()) {
    const kind = level === "info" ? "" : `${level === "warn" ? "warning" : "error"}: `;
    const line = `${new Date().toISOString().slice(11, 19)} ${kind}${pair ? `${pair}: ` : ""}${sentence}`;
    process.stderr.write(`${makeVisible(hideSecrets(line))}\n`);
    return;
  }
  logger[level]({ ...fields, ...specialFields({ ...subject, pair }) }, pair ? `${pair}: ${sentence}` : sentence);
}

/** Writes an ERROR line for every problem, with what was wrong, what was found and what to do in fields of their own. */
export function logProblems(exitCode: number, problems: readonly Problem[]): void {
  for (const problem of problems) log("error", describeProblem(problem), { exitCode, ...problem });
}

/** Labels are indexed. Logs Explorer shows the lines of a trace together: here all lines of a run, from every process. */
function specialFields({ project, output, run, pair }: LogSubject): Record<string, unknown> {
  const labels = { ...(run && { run }), ...(pair && { pair }) };
  return {
    ...(Object.keys(labels).length > 0 && { "logging.googleapis.com/labels": labels }),
    ...(project && run && { "logging.googleapis.com/trace": `projects/${project}/traces/${traceOf(output, run)}` }),
  };
}

/** The same 32 hexadecimal digits in every process of a run; runs of other folders have others. */
function traceOf(output = "", run: string): string {
  return createHash("sha256").update(`${output}\n${run}`).digest("hex").slice(0, 32);
}
