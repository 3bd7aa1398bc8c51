import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { buildJob } from "../../../src/backend/cloudrun/job.ts";
import { findCloudRunAttempt } from "../../../src/model/cloudrun-attempt.ts";
import { Failure } from "../../../src/model/failure.ts";
import { countCloudRunCpus } from "../../../src/model/platform-limits.ts";
import {
  bucketEnvironment,
  CloudRunEntries,
  makeCloudRunLaunch,
  makeCloudRunOptions,
} from "../../support/cloudrun-options.ts";
import { checkJob } from "../../support/cloudrun-rules.ts";

const GiB = 2 ** 30;
const MiB = 2 ** 20;

function problemsOf(build: () => unknown): readonly string[] {
  try {
    build();
  } catch (error) {
    if (error instanceof Failure && error.exitCode === 2) return error.message.split("\n");
    throw error;
  }
  return [];
}

function taskOf(...given: Parameters<typeof buildJob>) {
  return buildJob(...given).template?.template;
}

describe("the Cloud Run job of a launch", () => {
  const launch = makeCloudRunLaunch();
  const options = makeCloudRunOptions();

  test("one task a pair, each started once, under names that find it again", () => {
    const job = buildJob(launch, options, bucketEnvironment);
    assert.deepEqual(
      [job.template?.taskCount, job.template?.parallelism, job.template?.template?.maxRetries],
      [27, 27, 0],
    );
    assert.deepEqual(job.labels, { "widemerge-run": "2026-11-21-a", "widemerge-launch": "0" });
    assert.deepEqual(job.template?.labels, job.labels);
    const [container] = job.template?.template?.containers ?? [];
    const variables = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    assert.deepEqual(variables, {
      ...bucketEnvironment,
      WIDEMERGE_RUN: "2026-11-21-a",
      WIDEMERGE_PAIRS: launch.tasks.map(({ pair }) => pair).join(","),
      WIDEMERGE_MEMORY_CEILING: `${2 * GiB}B`,
      POLARS_MAX_THREADS: "1",
    });
    assert.deepEqual(container?.args, ["merge"]);
  });

  test("tells its tasks their launch and their generation", () => {
    const { template } = buildJob({ ...launch, number: 3, generation: 2 }, options, bucketEnvironment);
    const [container] = template?.template?.containers ?? [];
    const variables = new Map((container?.env ?? []).map(({ name, value }) => [name, value]));
    assert.deepEqual([variables.get("WIDEMERGE_LAUNCH"), variables.get("WIDEMERGE_GENERATION")], ["3", "2"]);
  });

  test("the same for the same, another one for anything else", () => {
    const digestOf = (...given: Parameters<typeof buildJob>) => buildJob(...given).annotations?.["widemerge/digest"];
    const digest = digestOf(launch, options, bucketEnvironment);
    assert.equal(digestOf(makeCloudRunLaunch(), makeCloudRunOptions(), { ...bucketEnvironment }), digest);
    const others = [
      digestOf({ ...launch, parallelism: 3 }, options, bucketEnvironment),
      digestOf({ ...launch, ceilingBytes: 3 * GiB }, options, bucketEnvironment),
      digestOf(launch, makeCloudRunOptions({ taskTimeout: 60 }), bucketEnvironment),
      digestOf(launch, options, { ...bucketEnvironment, WIDEMERGE_VERIFY: "full" }),
    ];
    assert.equal(new Set([digest, ...others]).size, 5);
  });

  test("memory and CPU go together as Cloud Run allows, at every size", () => {
    for (let bytes = 100 * MiB; bytes <= 32 * GiB; bytes += 331 * MiB + 17) {
      const job = buildJob({ ...launch, ceilingBytes: bytes }, options, bucketEnvironment);
      checkJob("widemerge-a-0", job);
      const memory =
        Number.parseInt(job.template?.template?.containers?.[0]?.resources?.limits?.memory ?? "", 10) * MiB;
      assert.ok(memory >= bytes && memory < Math.max(bytes, 511 * MiB) + 2 * MiB, `${memory} for ${bytes}`);
    }
    const cpus = [0.5, 4, 4.25, 8, 8.25, 16, 16.25, 24, 24.25, 32].map((gib) => countCloudRunCpus("auto", gib * GiB));
    assert.deepEqual(cpus, [1, 1, 2, 2, 4, 4, 6, 6, 8, 8]);
  });

  test("more than 32 GiB is refused, with what the plan needs beside it", () => {
    const large = { ...launch, ceilingBytes: 50 * GiB };
    assert.deepEqual(
      problemsOf(() => buildJob(large, options, bucketEnvironment, 0.4 * GiB)),
      [
        "a Cloud Run task has at most 32.0 GiB of memory: found a ceiling of 50.0 GiB; this plan needs 410 MiB; set --memory-ceiling to 2GiB",
      ],
    );
    assert.match(problemsOf(() => buildJob(large, options, bucketEnvironment, 20 * GiB))[0] ?? "", /set .* to 32GiB$/);
    assert.match(
      problemsOf(() => buildJob(large, options, bucketEnvironment, 40 * GiB))[0] ?? "",
      /use --backend kube/,
    );
    assert.match(problemsOf(() => buildJob(large, options, bucketEnvironment))[0] ?? "", /--dry-run/);
    assert.deepEqual(
      problemsOf(() => buildJob({ ...launch, ceilingBytes: 32 * GiB }, options, bucketEnvironment)),
      [],
    );
  });

  test("everything else that can never run is said at once", () => {
    const environment = {
      WIDEMERGE_INPUT: "checkpoints",
      WIDEMERGE_OUTPUT: "gs://fx/training",
      WIDEMERGE_MEMORY_FREE: String(40 * GiB),
      WIDEMERGE_MEMORY_WARN: "45GiB",
    };
    const bare = v.parse(CloudRunEntries, { cpu: 1 });
    const problems = problemsOf(() => buildJob(makeCloudRunLaunch({ ceilingBytes: 8 * GiB }), bare, environment));
    assert.deepEqual(
      problems.map((line) => line.split(":")[0]),
      [
        "Cloud Run has no task of this size",
        "--memory-free exceeds the memory of a task",
        "--memory-warn exceeds the memory of a task",
        "no Google Cloud project is set",
        "no Google Cloud region is set",
        "no container image is set",
        "a Cloud Run task cannot reach the input",
      ],
    );
    assert.match(problems[0] ?? "", /one of 2, 4, 6, 8$/);
  });

  test("a service account and a time limit reach the task", () => {
    const cloudRunServiceAccount = "worker@fx-features.iam.gserviceaccount.com";
    const task = taskOf(launch, makeCloudRunOptions({ cloudRunServiceAccount, taskTimeout: "90" }), bucketEnvironment);
    assert.deepEqual([task?.serviceAccount, task?.timeout?.seconds], [cloudRunServiceAccount, 90]);
  });

  test("names that are no names are refused", () => {
    const wrong = [
      { project: "a/b" },
      { region: "us-central1/jobs" },
      { cloudRunServiceAccount: "worker" },
      { taskTimeout: 0 },
      { cloudRunEndpoint: "http://x" },
    ];
    for (const options of wrong)
      assert.equal(v.safeParse(CloudRunEntries, options).success, false, JSON.stringify(options));
  });

  test("a worker knows its attempt by the service's own variables", () => {
    const environment = {
      CLOUD_RUN_EXECUTION: "widemerge-a-0-x7k2p",
      CLOUD_RUN_TASK_INDEX: "12",
      CLOUD_RUN_TASK_ATTEMPT: "0",
    };
    assert.equal(findCloudRunAttempt(environment), "widemerge-a-0-x7k2p-12-0");
    assert.equal(findCloudRunAttempt({ JOB_COMPLETION_INDEX: "12" }), undefined);
  });
});
