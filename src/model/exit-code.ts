/** One exit code per cause. Scripts decide by the code, never by the text of a message. */
export const ExitCode = {
  done: 0,
  unexpected: 1,
  usage: 2,
  input: 3,
  memory: 4,
  verification: 5,
  superseded: 6,
  transient: 75,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The word that people read for an exit code. */
export const outcomeOf = {
  0: "done",
  1: "failed",
  2: "usage error",
  3: "input refused",
  4: "memory ceiling",
  5: "verification failed",
  6: "superseded",
  75: "storage failed",
  130: "interrupted",
  143: "terminated",
} as const satisfies Readonly<Record<ExitCode, string>>;

/** How a worker ended, in its own words. "already done": the output was there and valid. */
export type Outcome = (typeof outcomeOf)[ExitCode] | "already done";
