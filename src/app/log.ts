/** The log of this process: one JSON object a line on stderr, with the fields that Cloud Logging takes for its own. */
import { createHash } from "node:crypto";
import { pino } from "pino";
import { describeProblem, type Problem } from "../model/failure.ts";
import { hideSecrets } from "../model/secrets.ts";

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
    hooks: { streamWrite: hideSecrets },
  },
  pino.destination({ fd: 2, sync: true }),
);

let subject: LogSubject = {};

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
  const sentence = message.trim().replace(/\s*\n\s*/g, " ");
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
