/** A worker killed at any of its requests: nothing partial is there, and a rerun finishes the work and cleans up. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listTree } from "../../src/memory/process.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { resultOf, startCli } from "../faults/support.ts";
import { type Exchange, startProxy } from "../support/faults.ts";
import { findGcsAbsence } from "../support/gcs.ts";
import {
  checkFinished,
  environment,
  explain,
  mergeOverWire,
  newPrefix,
  openStand,
  readOutput,
  runWith,
  type Stand,
} from "./stand.ts";

const absence = findGcsAbsence() || (process.platform === "linux" ? false : "needs /proc");
/** Of this many instants, evenly spread over the requests of a merge. */
const instants = 14;

describe("killed at a request", { skip: absence }, () => {
  for (const assembly of ["compose", "stream"])
    describe(assembly, { concurrency: 3 }, () => {
      let stand: Stand;
      let whole: Buffer;
      let requests: readonly Exchange[] = [];
      const argsFor = (prefix: string) => {
        const folders = ["--input", stand.input, "--output", `${stand.root}/${prefix}`];
        return ["merge", "audusd", ...folders, "--json", "--assembly", assembly];
      };
      before(async () => {
        stand = await openStand({ tables: 8, rows: 1000, misaligned: 0.3 });
        const proxy = await startProxy(stand.gcs.endpoint);
        const prefix = newPrefix();
        assert.equal((await runWith(proxy.endpoint, ...argsFor(prefix))).exitCode, ExitCode.done);
        await proxy.stop();
        requests = proxy.requests;
        whole = (await readOutput(stand, prefix)).bytes ?? Buffer.alloc(0);
      });
      after(() => stand.gcs.stop());

      for (let instant = 0; instant < instants; instant += 1)
        it(`${instant + 1} of ${instants}`, async (context) => {
          // Most of what matters happens in the last requests: every other instant is one of those.
          const last = requests.length - Math.floor(instant / 2);
          const at = instant % 2 === 0 ? last : Math.ceil((requests.length * (instant + 1)) / (instants + 1));
          const what = requests[at - 1];
          context.diagnostic(`request ${at} of ${requests.length}: ${what?.kind}`);
          const prefix = newPrefix();
          await killAt(stand, argsFor(prefix), at, instant % 3 === 0);
          await readOutput(stand, prefix);
          const rerun = await mergeOverWire(stand, [], { assembly }, { prefix });
          assert.ok(rerun.result, explain(rerun));
          if (rerun.result.outcome === "done") await checkFinished(stand, prefix, whole);
          else assert.ok((await readOutput(stand, prefix)).bytes?.equals(whole));
        });
      it("a rerun that finds the work done removes the scratch of the dead", async () => {
        const prefix = newPrefix();
        await killAt(stand, argsFor(prefix), requests.length, true);
        const rerun = await runWith(stand.gcs.endpoint, ...argsFor(prefix));
        assert.equal(resultOf(rerun).outcome, "already done");
        await checkFinished(stand, prefix, whole);
      });
    });
});

/** Starts a merge and ends the child, or the whole group, when its request number `at` is on the wire. */
async function killAt(stand: Stand, args: readonly string[], at: number, group: boolean): Promise<void> {
  let count = 0;
  let kill = (): void => undefined;
  const proxy = await startProxy(stand.gcs.endpoint, [
    {
      on: () => {
        count += 1;
        if (count === at) kill();
        return false;
      },
      fault: { kind: "lose response" },
    },
  ]);
  const { child, ended } = startCli(args, environment(proxy.endpoint));
  const supervisor = child.pid ?? 0;
  kill = () => {
    if (group) process.kill(-supervisor, "SIGKILL");
    else for (const pid of listTree(supervisor)) if (pid !== supervisor) process.kill(pid, "SIGKILL");
  };
  await ended;
  await sleep(50);
  await proxy.stop();
  assert.ok(count >= at, `${count} requests`);
}
