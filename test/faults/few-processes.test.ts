/** A user who may start fewer processes and threads than Node needs: a named stop, where Node alone hangs or aborts. */
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { test } from "node:test";
import { makeFolder, program, startCli } from "./support.ts";

/** The kernel exempts root from this limit. */
const asOtherUser = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "needs Linux: RLIMIT_NPROC";
  const missing = [...asOtherUser.slice(0, 1), "prlimit"].filter((name) => !isInPath(name));
  return missing.length === 0 ? undefined : `needs ${missing.join(" and ")}: install util-linux`;
}

function isInPath(name: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

for (const most of [4, 9, 14])
  test(`${most} processes and threads are too few`, { skip: whyNot() ?? false }, async (context) => {
    const launcher = [...asOtherUser, "prlimit", `--nproc=${most}`, "sh", "-c", `exec sh "$@"`, "sh"];
    const flags = ["merge", "audusd", "--input", makeFolder(context), "--output", makeFolder(context)];
    const run = await startCli(flags, {}, launcher).ended;
    if (/Permission denied|can't open|cannot open/i.test(run.stderr))
      return context.skip(`${program} is not readable for another user`);
    assert.equal(run.exitCode, 3, run.stderr);
    assert.match(run.stderr, new RegExp(`may have ${most} processes and threads, 32 are needed: raise 'ulimit -u'`));
  });
