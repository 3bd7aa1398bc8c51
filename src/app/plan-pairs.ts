import type { Settings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import type { Problem } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import { type ObserverFactory, runGuarded } from "./guarded-task.ts";

/** Why a pair has no plan. */
export interface FailedPlan {
  readonly pair: string;
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];
}

/** Plans pairs one after the other, each under the guard. @throws Failure when planning could not be started */
export async function planPairs(
  pairs: readonly string[],
  settings: Settings,
  observe: ObserverFactory,
): Promise<{ readonly plans: readonly Plan[]; readonly failed: readonly FailedPlan[] }> {
  const plans: Plan[] = [];
  const failed: FailedPlan[] = [];
  for (const pair of pairs) {
    const task = { command: "plan", pair, settings } as const;
    const { report, exitCode, problems } = await runGuarded(task, settings, observe(pair));
    if (report?.command === "plan" && exitCode === ExitCode.done) plans.push(report.plan);
    else failed.push({ pair, exitCode, problems });
  }
  return { plans, failed };
}
