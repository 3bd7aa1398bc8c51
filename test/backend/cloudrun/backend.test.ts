/** The Cloud Run backend and its real client, against a test double of the service whose tasks are real processes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Backend } from "../../../src/backend/backend.ts";
import { createCloudRunBackend } from "../../../src/backend/cloudrun/backend.ts";
import { nameOutputs } from "../../../src/model/output-names.ts";
import type { Launch } from "../../../src/model/run.ts";
import { defaultPairs } from "../../../src/sample/pairs.ts";
import { CloudRunDouble } from "../../support/cloudrun-double.ts";
import { bucketEnvironment, makeCloudRunOptions } from "../../support/cloudrun-options.ts";
import { Refusal } from "../../support/cloudrun-rpc.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf } from "../../support/in-process.ts";
import { causeOf, GiB, makeLaunch, makeStand, type Stand, workerScript } from "../../support/run.ts";
import { statusOf, watchToEnd, watchUntil } from "../../support/watch.ts";
import { backendContract } from "../contract.ts";

const folder = await scratchFolder("cloudrun-backend");
const many = 27;
const pairs = ["ok1", "ok2", "ok3", "once1", "storage1", "input1", ...Array.from({ length: many }, (_, n) => `ok${n}`)];
const skip = existsSync("/usr/bin/prlimit") ? {} : { skip: "needs prlimit" };

interface Place {
  readonly stand: Stand;
  readonly double: CloudRunDouble;
  connect(given?: Parameters<typeof makeCloudRunOptions>[0]): Backend;
}

/** A service whose image is a worker that merges nothing. */
async function openPlace(script = ""): Promise<Place> {
  const stand = makeStand(mkdtempSync(join(folder, "stand-")), [...new Set(pairs)]);
  const names = "JOB_COMPLETION_INDEX=$CLOUD_RUN_TASK_INDEX; TERMINATION_MESSAGE_PATH=/dev/null";
  const command = ["/bin/sh", "-c", `${names}\n${script || workerScript(stand)}`];
  const double = await new CloudRunDouble({ command, graceMilliseconds: 2000 }).open();
  const environment = { WIDEMERGE_INPUT: stand.settings.input, WIDEMERGE_OUTPUT: stand.output };
  const connect: Place["connect"] = (given) =>
    createCloudRunBackend(makeCloudRunOptions({ cloudRunEndpoint: double.endpoint, ...given }), environment);
  return { stand, double, connect };
}

/** Processes of a launch that still run, and its jobs. */
function findLeftovers({ run }: Launch, { stand, double }: Place): readonly string[] {
  const processes = readdirSync("/proc").filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
      return environment.includes(`WIDEMERGE_RUN=${run}\0`) && environment.includes(stand.output);
    } catch {
      return false;
    }
  });
  return [...processes, ...double.jobs.keys()];
}

const contractOptions = { many, ...skip };
backendContract(
  "cloudrun",
  async (context) => {
    const place = await openPlace();
    context.after(() => place.double.close());
    return {
      backend: place.connect(),
      another: () => place.connect(),
      leftovers: async (launch) => findLeftovers(launch, place),
    };
  },
  contractOptions,
);

describe("27 pairs on Cloud Run", { ...skip, timeout: 300_000 }, () => {
  const cli = new URL("../../../src/cli.ts", import.meta.url).pathname;
  const place = join(folder, "real");
  const [input, output] = [join(place, "checkpoints"), join(place, "training")];

  it("are merged by 27 tasks, and each leaves its record under the name that the backend gives it", async (context) => {
    const args = ["--no-warnings", cli, "sample", "--out", input, "--pairs", defaultPairs.join(","), "--tables", "4"];
    execFileSync(process.execPath, args, { stdio: "pipe" });
    const double = await new CloudRunDouble({ command: [process.execPath, "--no-warnings", cli] }).open();
    context.after(() => double.close());
    const environment = { WIDEMERGE_INPUT: input, WIDEMERGE_OUTPUT: output, WIDEMERGE_SYNC: "false" };
    const backend = createCloudRunBackend(makeCloudRunOptions({ cloudRunEndpoint: double.endpoint }), environment);
    const handle = await backend.submit(makeLaunch(defaultPairs, { run: "real", parallelism: 3 }));
    for (const { pair, state, attempts } of await watchToEnd(backend, handle)) {
      const [attempt, ...others] = attempts;
      assert.deepEqual([pair, state, attempt?.exitCode, others], [pair, "succeeded", 0, []]);
      assert.ok(existsSync(join(output, nameOutputs(pair).manifest)), pair);
      assert.deepEqual(readdirSync(join(output, "runs/real/results", pair)), [`${attempt?.id}.json`]);
    }
  });
});

describe("the Cloud Run backend", skip, () => {
  const places: Place[] = [];
  const open = async (script?: string): Promise<Place> => {
    const place = await openPlace(script);
    places.push(place);
    return place;
  };
  after(() => Promise.all(places.map(({ double }) => double.close())));

  it("has the job checked, makes it, and starts it once", async () => {
    const { double, connect } = await open();
    const launch = makeLaunch(["ok1", "ok2"]);
    const handle = await connect().submit(launch);
    assert.deepEqual(await connect().submit(launch), handle);
    const changes = double.calls.filter((call) => /Create|Run|Update|Delete/.test(call));
    assert.deepEqual(changes, ["validate CreateJob", "CreateJob", "RunJob", "validate CreateJob"]);
    assert.match(
      handle.name,
      /^projects\/fx-features\/locations\/us-central1\/jobs\/widemerge-run-0\/executions\/widemerge-run-0-\w+$/,
    );
    await watchToEnd(connect(), handle);
  });

  it("goes on where a controller was killed between making the job and starting it", async () => {
    const { double, connect } = await open();
    const launch = makeLaunch(["ok1"]);
    double.refusals.set("RunJob", new Refusal(14, "unreachable"));
    assert.equal((await failureOf(connect().submit(launch))).exitCode, 75);
    double.refusals.clear();
    const backend = connect();
    const [status] = await watchToEnd(backend, await backend.submit(launch));
    assert.equal(status?.state, "succeeded");
    assert.equal(double.executions.size, 1);
  });

  it("a job of the same name with other settings is not touched", async () => {
    const { double, connect } = await open();
    await connect().submit(makeLaunch(["ok1"]));
    const { exitCode, message } = await failureOf(connect({ taskTimeout: 60 }).submit(makeLaunch(["ok1"])));
    assert.equal(exitCode, 2);
    assert.match(message, /widemerge-run-0 exists already with other settings/);
    assert.equal(double.executions.size, 1);
  });

  it("starts every task once, whatever it ends with, and says how it ended and where its log is", async () => {
    const { stand, connect } = await open();
    const backend = connect();
    const handle = await backend.submit(makeLaunch(["input1", "memory1", "storage1"], { parallelism: 3 }));
    const statuses = await watchToEnd(backend, handle);
    const ends = statuses.map(({ state, attempts }) => [state, ...attempts.map(({ exitCode }) => exitCode)]);
    assert.deepEqual(ends, [
      ["failed", 3],
      ["failed", 4],
      ["failed", 75],
    ]);
    assert.match(
      statuses[0]?.attempts[0]?.message ?? "",
      /^The container exited with an error\. log: https:\/\/console/,
    );
    const starts = readFileSync(stand.journal, "utf8").trim().split("\n");
    assert.equal(starts.length, 3, starts.join(", "));
  });

  it("a task killed for its memory is told by the service with exit code 0, and is a failure for want of memory", async () => {
    const { connect } = await open("kill -9 $$");
    const backend = connect();
    const [status] = await watchToEnd(backend, await backend.submit(makeLaunch(["ok1"])));
    const [attempt] = status?.attempts ?? [];
    assert.deepEqual([status?.state, attempt?.exitCode, attempt?.reason], ["failed", undefined, "OOMKilled"]);
    assert.ok(attempt !== undefined && causeOf(attempt) === "memory");
  });

  it("a task that takes too long is stopped and said to be so", async () => {
    const { connect } = await open("trap 'exit 143' TERM; while :; do sleep 0.05; done");
    const backend = connect({ taskTimeout: 1 });
    const [status] = await watchToEnd(backend, await backend.submit(makeLaunch(["ok1"])));
    const [attempt] = status?.attempts ?? [];
    assert.deepEqual([status?.state, attempt?.reason], ["failed", "DeadlineExceeded"]);
    assert.match(attempt?.message ?? "", /^The configured timeout was reached\./);
  });

  it("a worker that does not heed SIGTERM is killed; how far it was is known after its job is gone", async () => {
    const place = await open("trap '' TERM; while :; do sleep 0.05; done");
    const backend = place.connect();
    const handle = await backend.submit(makeLaunch(["stay1", "stay2"], { parallelism: 1 }));
    await watchUntil(backend, handle, ([first]) => first?.state === "running");
    await backend.cancel(handle);
    assert.deepEqual(findLeftovers(handle.launch, place), []);
    const [first, second] = await statusOf(backend, handle);
    assert.deepEqual([first?.state, second?.state, second?.attempts.length], ["cancelled", "cancelled", 0]);
    const [attempt] = first?.attempts ?? [];
    assert.equal(attempt?.reason, "Cancelled");
    assert.ok(Date.parse(attempt?.end ?? "") > Date.parse(attempt?.start ?? ""), JSON.stringify(attempt));
    assert.ok(attempt !== undefined && causeOf(attempt) === "disruption");
    const elsewhere = await statusOf(place.connect(), handle);
    assert.deepEqual(
      elsewhere.map(({ state }) => state),
      ["cancelled", "cancelled"],
    );
  });

  it("an execution that somebody deleted leaves nothing to wait for", async () => {
    const { double, connect } = await open();
    const backend = connect();
    const handle = await backend.submit(makeLaunch(["ok1"]));
    const [status] = await watchToEnd(backend, handle);
    assert.equal(status?.state, "succeeded");
    double.executions.clear();
    assert.equal((await statusOf(connect(), handle))[0]?.state, "cancelled");
    assert.equal((await statusOf(backend, handle))[0]?.state, "succeeded", "what was seen is not forgotten");
  });

  it("what can never run is refused before anything is asked, all of it at once", async () => {
    const { double, connect } = await open();
    const launch = makeLaunch(["ok1"], { ceilingBytes: 50 * GiB, spot: true });
    const { exitCode, problems } = await failureOf(connect({ cpu: 8 }).submit(launch));
    assert.equal(exitCode, 2);
    assert.deepEqual(
      problems.map(({ what }) => what),
      ["a Cloud Run task has at most 32.0 GiB of memory", "Cloud Run has no Spot capacity"],
    );
    assert.deepEqual(double.calls, []);
    const predicting = createCloudRunBackend(makeCloudRunOptions(), bucketEnvironment, async () => 3 * GiB);
    assert.match(
      (await failureOf(predicting.submit(launch))).message,
      /plan needs 3\.00 GiB; set --memory-ceiling to 8GiB/,
    );
  });

  it("the service's own checks are told before anything is made", async () => {
    const { double, connect } = await open();
    double.refusals.set("CreateJob", new Refusal(7, "Permission 'run.jobs.create' denied on resource 'x'"));
    const { exitCode, message } = await failureOf(connect().submit(makeLaunch(["ok1"])));
    assert.equal(exitCode, 3);
    assert.match(message, /refused to accept job widemerge-run-0.*grant run\.jobs\.create .*roles\/run\.developer/s);
    assert.equal(double.jobs.size, 0);
  });

  it("a job that does not get ready does not stand in the way of the next one", async () => {
    const { double, connect } = await open();
    double.unready = new Refusal(5, "Image 'example/widemerge:9' not found.");
    const { exitCode, message } = await failureOf(
      connect({ image: "example/widemerge:9" }).submit(makeLaunch(["ok1"])),
    );
    assert.equal(exitCode, 2);
    assert.match(message, /Image 'example\/widemerge:9' not found/);
    double.unready = undefined;
    const backend = connect();
    assert.equal((await watchToEnd(backend, await backend.submit(makeLaunch(["ok1"]))))[0]?.state, "succeeded");
  });

  it("asks seldom while nothing happens: one request a look, with growing pauses, and none for the tasks", async () => {
    const { double, connect } = await open();
    const backend = connect();
    const pairs = Array.from({ length: 27 }, (_, index) => `stay${index}`);
    const handle = await backend.submit(makeLaunch(pairs, { parallelism: 27 }));
    await watchUntil(backend, handle, (all) => all.every(({ state }) => state === "running"));
    double.calls.length = 0;
    const started = performance.now();
    for (let looks = 0; looks < 3; looks += 1) {
      await backend.wait([handle], new AbortController().signal);
      await backend.status([handle]);
    }
    const seconds = (performance.now() - started) / 1000;
    assert.deepEqual(double.calls, ["GetExecution", "GetExecution", "GetExecution"]);
    assert.ok(seconds >= 1 + 2 + 4 - 0.1, `three looks within ${seconds} s`);
    await backend.cancel(handle);
  });

  it("lists the tasks again when one of them has ended", async () => {
    const { stand, double, connect } = await open();
    const backend = connect();
    const handle = await backend.submit(makeLaunch(["stay1", "ok1"], { parallelism: 2 }));
    const seen = await watchUntil(
      backend,
      handle,
      ([first, second]) => first?.state === "running" && second?.state === "succeeded",
    );
    assert.equal(seen[1]?.attempts[0]?.exitCode, 0);
    assert.ok(existsSync(join(stand.output, nameOutputs("ok1").manifest)));
    assert.ok(double.calls.includes("ListTasks"));
    await backend.cancel(handle);
  });

  it("credentials that are not there are missed before anything else, and end nothing", async (context) => {
    const before = process.env.GOOGLE_APPLICATION_CREDENTIALS;
    context.after(() => {
      delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
      if (before !== undefined) process.env.GOOGLE_APPLICATION_CREDENTIALS = before;
    });
    process.env.GOOGLE_APPLICATION_CREDENTIALS = join(folder, "no-key.json");
    const environment = { WIDEMERGE_INPUT: "gs://fx/in", WIDEMERGE_OUTPUT: "gs://fx/out" };
    const backend = createCloudRunBackend(makeCloudRunOptions(), environment);
    const { exitCode, message } = await failureOf(backend.submit(makeLaunch(["ok1"])));
    assert.equal(exitCode, 3);
    assert.match(message, /no-key\.json.*gcloud auth application-default login/);
  });

  it("a service that is not there may be there later", async () => {
    const { double, connect } = await open();
    const backend = connect();
    await double.close();
    assert.equal((await failureOf(backend.submit(makeLaunch(["ok1"])))).exitCode, 75);
  });
});
