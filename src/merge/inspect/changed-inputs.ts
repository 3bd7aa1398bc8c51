/** Inputs that another program changes while they are read. */
import pMap from "p-map";
import { ExitCode } from "../../model/exit-code.ts";
import { failOn, type Problem } from "../../model/failure.ts";
import type { ListedInput } from "../../model/plan.ts";
import { describeChange } from "../../store/failures.ts";
import { tablesAtOnce } from "../budget.ts";
import type { Context } from "../context.ts";

/**
 * Does work that reads inputs, and compares them afterwards with what was listed: only then is everything that was read
 * of one version.
 * @throws Failure (input) with every input that changed
 */
export async function readUnchanged<Value>(
  context: Context,
  inputs: readonly ListedInput[],
  work: () => Promise<Value>,
): Promise<Value> {
  const value = await explainByChange(context, inputs, work);
  failOn(ExitCode.input, await findChanged(context, inputs));
  return value;
}

/** Does work that reads inputs. Where one of them changed, a short read or a damaged page is reported as that change. */
export async function explainByChange<Value>(
  context: Context,
  inputs: readonly ListedInput[],
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    // What stopped the merge from outside has nothing to do with its inputs.
    if (!context.port.signal.aborted) failOn(ExitCode.input, await findChanged(context, inputs).catch(() => []));
    throw error;
  }
}

/** The inputs that are no longer what was listed. */
export async function findChanged(
  { store }: Pick<Context, "store">,
  inputs: readonly ListedInput[],
): Promise<Problem[]> {
  const changed = await pMap(
    inputs,
    async ({ table, ...file }) => {
      const found = await store.findChange(file);
      return found === undefined ? [] : [{ ...describeChange(file.path, found), table }];
    },
    { concurrency: tablesAtOnce },
  );
  return changed.flat();
}
