import type { StatedSettings } from "../config/resolve.ts";
import type { VerifyLevel } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import type { Verification } from "../model/result.ts";
import { runGuarded, type TaskObserver } from "./guarded-task.ts";

/** How a verification ended. */
export interface VerificationEnd {
  readonly exitCode: ExitCode;
  /** What was found wrong, in the file or before it could be checked. */
  readonly problems: readonly Problem[];
  /** Absent when the check could not be carried out. */
  readonly verification?: Verification;
}

/** Verifies a pair's output or a Parquet file under the guard. @throws Failure when it could not be started */
export async function verifyTarget(
  target: string,
  level: VerifyLevel,
  { settings, stated }: StatedSettings,
  observer: TaskObserver,
): Promise<VerificationEnd> {
  const { report, exitCode, problems } = await runGuarded(
    { command: "verify", target, level, inputGiven: stated.has("input"), settings },
    settings,
    observer,
  );
  if (report?.command !== "verify") return { exitCode, problems };
  const { verification } = report;
  if (verification.problems.length === 0) return { exitCode, problems, verification };
  return { exitCode: ExitCode.verification, problems: verification.problems, verification };
}
