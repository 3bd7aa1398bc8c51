/** A merge that is struck down: started through the command line, hit at a named step or after some time. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readText } from "../../src/memory/cgroup.ts";
import { listTree } from "../../src/memory/process.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { mergeHere, type SomeSettings } from "../support/in-process.ts";
import { waitFor } from "../support/wait.ts";
import { type CliRun, checkManifest, finishedNames, listOutput, runCli, startCli } from "./support.ts";

/** Who is hit: the supervisor, the child that does the work, or the whole process group at once. */
export type Victim = "supervisor" | "child" | "group";

export interface Strike {
  readonly signal: NodeJS.Signals;
  readonly victim: Victim;
  /** A step that announce.mjs knows, or milliseconds after the start. */
  readonly at: string | number;
}

const preload = new URL("announce.mjs", import.meta.url).href;

export type Struck = CliRun & { readonly hit: boolean };

/** Runs a merge and strikes; resolves when nobody works any more. `hit` is false when the merge was over before. */
export function strike(args: readonly string[], plan: Strike, environment: NodeJS.ProcessEnv = {}): Promise<Struck> {
  return disturb(args, plan.at, (supervisor) => send(plan, supervisor), environment);
}

/** Runs a merge and does something at a step that announce.mjs knows, or after some milliseconds. */
export async function disturb(
  args: readonly string[],
  at: string | number,
  act: (supervisor: number) => boolean | Promise<boolean>,
  environment: NodeJS.ProcessEnv = {},
  launcher: readonly string[] = [],
): Promise<Struck> {
  const announcing = typeof at === "string" ? { NODE_OPTIONS: `--import=${preload}`, ANNOUNCE_HOLD: at } : {};
  const { child, ended } = startCli(args, { ...announcing, ...environment }, launcher);
  const supervisor = child.pid ?? 0;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const reached =
    typeof at === "number"
      ? sleep(at)
      : new Promise<void>((resolve) =>
          child.stderr?.on("data", (data) => String(data).includes(`@at ${at}`) && resolve()),
        );
  await Promise.race([reached, ended]);
  const hit = !over && (await act(supervisor));
  const end = await ended;
  await waitFor(() => !isRunning(supervisor), {
    what: `the end of process group ${supervisor}`,
    everyMilliseconds: 50,
  });
  return { ...end, hit };
}

function send({ signal, victim }: Strike, supervisor: number): boolean {
  const pid = victim === "group" ? -supervisor : victim === "supervisor" ? supervisor : childrenOf(supervisor)[0];
  try {
    return pid !== undefined && process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Processes that a process has started. */
export function childrenOf(pid: number): number[] {
  return listTree(pid).slice(1);
}

/** A process that has ended but was not waited for yet does nothing any more. */
function isRunning(group: number): boolean {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.some((pid) => {
    const fields = readText(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, "")
      .split(" ");
    return fields !== undefined && Number(fields[2]) === group && fields[0] !== "Z" && fields[0] !== "X";
  });
}

/** What a folder holds after a strike: only whole files under their final names, and a manifest only beside its file. */
export function checkState(output: string, wholes: readonly Uint8Array[]): readonly string[] {
  const visible = listOutput(output).filter((name) => !name.startsWith("."));
  for (const name of visible) assert.ok(finishedNames.includes(name), name);
  if (visible.includes("training_audusd.parquet")) {
    const found = readFileSync(join(output, "training_audusd.parquet"));
    assert.ok(
      wholes.some((whole) => Buffer.compare(found, whole) === 0),
      "neither the old nor the new output",
    );
  }
  if (visible.includes("training_audusd.manifest.json")) checkManifest(output);
  return visible;
}

/** The same merge again, through the command line: finishes the work and leaves nothing but the result. */
export async function checkRerun(args: readonly string[], output: string, whole: Uint8Array): Promise<void> {
  const run = await runCli(args);
  assert.equal(run.exitCode, ExitCode.done, run.stdout + run.stderr);
  checkFinished(output, whole);
}

/** The same in this process, which takes a tenth of the time. */
export async function checkRerunHere(settings: SomeSettings, output: string, whole: Uint8Array): Promise<void> {
  await mergeHere({ ...settings, output }, "audusd");
  checkFinished(output, whole);
}

function checkFinished(output: string, whole: Uint8Array): void {
  assert.deepEqual(listOutput(output), finishedNames);
  checkManifest(output);
  checkState(output, [whole]);
}
