import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import type { WorkerEnvironment } from "../../../src/backend/backend.ts";
import { buildJob } from "../../../src/backend/kubernetes/job.ts";
import { Failure } from "../../../src/model/failure.ts";
import { makeLaunch, makeOptions } from "./support.ts";

const bucket = { WIDEMERGE_INPUT: "gs://bucket/checkpoints", WIDEMERGE_OUTPUT: "gs://bucket/training" };

function build(launch = makeLaunch(), options = makeOptions(), environment: WorkerEnvironment = bucket) {
  const job = buildJob(launch, options, environment);
  const pod = job.spec?.template.spec;
  const container = pod?.containers[0];
  assert.ok(job.spec && job.metadata && pod && container);
  const env = new Map(container.env?.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
  return { job, spec: job.spec, metadata: job.metadata, pod, container, env };
}

function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.equal(error.exitCode, 2);
    return error.problems.map(({ what }) => what);
  }
  return [];
}

test("a Job with all of it is the one that was looked at and kept", () => {
  const golden = new URL("./job.yaml", import.meta.url);
  const options = makeOptions({ serviceAccount: "widemerge-worker", volumeClaim: "checkpoints", deadline: 86_400 });
  const { job } = build(makeLaunch({ spot: true }, 3), options);
  assert.deepEqual(JSON.parse(JSON.stringify(job)), parse(readFileSync(golden, "utf8")));
});

test("a Job belongs to the one that its controller runs in, and is the same Job whoever that is", () => {
  const uids = ["0f3c2b1a-6d5e-4f70-8192-a3b4c5d6e7f8", "1f3c2b1a-6d5e-4f70-8192-a3b4c5d6e7f8"];
  const jobs = uids.map((uid) => build(makeLaunch(), makeOptions({ owner: `all-pairs:${uid}` })).metadata);
  assert.deepEqual(
    jobs.map(({ ownerReferences }) => ownerReferences),
    uids.map((uid) => [{ apiVersion: "batch/v1", kind: "Job", name: "all-pairs", uid }]),
  );
  const digests = [...jobs, build().metadata].map(({ annotations }) => annotations?.["widemerge/digest"]);
  assert.equal(new Set(digests).size, 1);
  assert.equal(build().metadata.ownerReferences, undefined);
});

describe("what Kubernetes asks of a Job with a failure policy for each index", () => {
  const { spec } = build();

  test("Indexed, never restarted in place, replaced only when gone, no index that ends the others", () => {
    assert.equal(spec.completionMode, "Indexed");
    assert.equal(spec.template.spec?.restartPolicy, "Never");
    assert.equal(spec.podReplacementPolicy, "Failed");
    assert.equal(spec.completions, 27);
    assert.equal(spec.maxFailedIndexes, 27);
    assert.equal(spec.backoffLimitPerIndex, 0, "the controller retries, the Job does not");
  });

  test("exit codes are ordered, unique, without 0, in one rule only, and of a container that is there", () => {
    const rules = spec.podFailurePolicy?.rules ?? [];
    const all = rules.flatMap(({ onExitCodes }) => onExitCodes?.values ?? []);
    assert.equal(new Set(all).size, all.length);
    assert.equal(all.includes(0), false);
    const names = spec.template.spec?.containers.map(({ name }) => name);
    for (const { onExitCodes } of rules) {
      if (onExitCodes === undefined) continue;
      assert.deepEqual(
        onExitCodes.values,
        [...onExitCodes.values].sort((left, right) => left - right),
      );
      assert.equal(names?.includes(onExitCodes.containerName ?? ""), true);
    }
  });

  test("replaces a pod that was disrupted or told to stop; any other failure counts, and none is allowed", () => {
    const rules = spec.podFailurePolicy?.rules ?? [];
    assert.deepEqual(
      rules.map(({ action }) => action),
      ["Ignore", "Ignore"],
    );
    assert.deepEqual(rules[0]?.onPodConditions, [{ type: "DisruptionTarget", status: "True" }]);
    assert.deepEqual(rules[1]?.onExitCodes?.values, [130, 143]);
  });
});

describe("resources", () => {
  test("50 GiB ask for 8 virtual CPUs; requests and limits are the same", () => {
    const { container, env } = build();
    assert.deepEqual(container.resources?.limits, { cpu: "8", memory: "50Gi", "ephemeral-storage": "1Gi" });
    assert.deepEqual(container.resources?.requests, container.resources?.limits);
    assert.equal(env.get("POLARS_MAX_THREADS"), "8");
    assert.equal(env.get("WIDEMERGE_MEMORY_CEILING"), `${50 * 2 ** 30}B`);
  });

  test("memory is written exactly, and never above what Autopilot gives a virtual CPU", () => {
    const units = new Map([
      ["Gi", 2 ** 30],
      ["Mi", 2 ** 20],
      ["", 1],
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (ceilingBytes) => {
        const limits = build(makeLaunch({ ceilingBytes })).container.resources?.limits;
        const match = /^(\d+)(Gi|Mi|)$/.exec(limits?.memory ?? "");
        assert.equal(Number(match?.[1]) * (units.get(match?.[2] ?? "?") ?? 0), ceilingBytes);
        assert.ok(ceilingBytes / 2 ** 30 / Number(limits?.cpu) <= 6.5);
      }),
    );
  });

  test("stated virtual CPUs count; half a one still has a thread", () => {
    const { container, env } = build(makeLaunch(), makeOptions({ cpu: "0.5" }));
    assert.equal(container.resources?.limits?.cpu, "500m");
    assert.equal(env.get("POLARS_MAX_THREADS"), "1");
  });
});

describe("a pod", () => {
  test("has no right that the restricted standard withholds, and no token", () => {
    const { pod, container } = build();
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.securityContext?.runAsNonRoot, true);
    assert.equal(pod.securityContext?.seccompProfile?.type, "RuntimeDefault");
    assert.equal(container.securityContext?.allowPrivilegeEscalation, false);
    assert.equal(container.securityContext?.readOnlyRootFilesystem, true);
    assert.deepEqual(container.securityContext?.capabilities, { drop: ["ALL"] });
  });

  test("knows its pairs in index order, its run, and its own name", () => {
    const { env, metadata } = build();
    const pairs = makeLaunch()
      .tasks.map(({ pair }) => pair)
      .join(",");
    assert.equal(env.get("WIDEMERGE_PAIRS"), pairs);
    assert.equal(metadata.annotations?.["widemerge/pairs"], pairs);
    assert.equal(env.get("WIDEMERGE_RUN"), "2026-11-21-a");
    const own = env.get("WIDEMERGE_ATTEMPT");
    assert.ok(typeof own === "object");
    assert.equal(own.fieldRef?.fieldPath, "metadata.name");
  });

  test("knows its launch and its generation, which stay those of the launch under a later controller", () => {
    const { env } = build(makeLaunch({ number: 3, generation: 2 }));
    assert.deepEqual([env.get("WIDEMERGE_LAUNCH"), env.get("WIDEMERGE_GENERATION")], ["3", "2"]);
    const { env: old } = build(makeLaunch());
    assert.ok(!old.has("WIDEMERGE_LAUNCH") && !old.has("WIDEMERGE_GENERATION"), "a launch of version 0.1.0");
  });

  test("asks for Spot only where the launch does, next to the user's own nodes and taints", () => {
    const options = makeOptions({ nodeSelector: "disk=ssd", tolerations: "dedicated=merge:NoSchedule,burst" });
    const spot = { "cloud.google.com/gke-spot": "true" };
    assert.deepEqual(build(makeLaunch({ spot: true }), options).pod.nodeSelector, { disk: "ssd", ...spot });
    assert.deepEqual(build(makeLaunch(), options).pod.nodeSelector, { disk: "ssd" });
    assert.deepEqual(build(makeLaunch(), options).pod.tolerations, [
      { key: "dedicated", operator: "Equal", value: "merge", effect: "NoSchedule" },
      { key: "burst", operator: "Exists" },
    ]);
  });

  test("gets a claim under the folder that it is stated with", () => {
    const local = { WIDEMERGE_INPUT: "/mnt/share/in", WIDEMERGE_OUTPUT: "/mnt/share/out" };
    const { container } = build(makeLaunch(), makeOptions({ volumeClaim: "share:/mnt/share" }), local);
    assert.deepEqual(container.volumeMounts?.at(-1), { name: "data", mountPath: "/mnt/share" });
  });
});

test("a Job for Kueue starts suspended, in its queue", () => {
  const { spec, metadata } = build(makeLaunch(), makeOptions({ queue: "merges" }));
  assert.equal(spec.suspend, true);
  assert.equal(metadata.labels?.["kueue.x-k8s.io/queue-name"], "merges");
});

describe("name and digest", () => {
  const anyRun = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);

  test("host names of pods fit for every run id, 1,000 launches and 10,000 pairs", () => {
    fc.assert(
      fc.property(anyRun, fc.nat(999), (run, number) => {
        const name = build(makeLaunch({ run, number }, 2)).metadata.name ?? "";
        assert.match(name, /^[a-z]([a-z0-9-]*[a-z0-9])?$/);
        assert.ok(`${name}-9999`.length <= 63);
      }),
    );
  });

  test("two launches never share a name", () => {
    const anyLaunch = fc.tuple(anyRun, fc.nat(99));
    fc.assert(
      fc.property(anyLaunch, anyLaunch, (one, other) => {
        const [left, right] = [one, other].map(([run, number]) => build(makeLaunch({ run, number }, 1)).metadata.name);
        assert.equal(left === right, one.join("/") === other.join("/"));
      }),
    );
  });

  test("the digest is the same for the same launch, and another one for whatever else is asked for", () => {
    const digests = [
      build(),
      build(makeLaunch({ parallelism: 5 })),
      build(makeLaunch({ ceilingBytes: 2 ** 30 })),
      build(makeLaunch(), makeOptions({ image: "other:1" })),
      build(makeLaunch(), makeOptions(), { ...bucket, WIDEMERGE_VERIFY: "full" }),
    ].map(({ metadata }) => metadata.annotations?.["widemerge/digest"]);
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(build().metadata.annotations?.["widemerge/digest"], digests[0]);
  });
});

describe("what could never run is refused, all of it at once", () => {
  test("no image, a relative input, an output outside of the claim", () => {
    const options = { ...makeOptions({ volumeClaim: "share" }), image: undefined };
    const local = { WIDEMERGE_INPUT: "checkpoints", WIDEMERGE_OUTPUT: "/data/../etc" };
    assert.deepEqual(
      problemsOf(() => buildJob(makeLaunch(), options, local)),
      ["no container image is set", "a pod cannot reach the input", "a pod cannot reach the output"],
    );
  });

  test("more pairs than one variable holds, and none", () => {
    const many = makeLaunch({}, 20_000);
    assert.deepEqual(
      problemsOf(() => build(many)),
      ["the pairs do not fit into one Job"],
    );
    assert.deepEqual(
      problemsOf(() => build(makeLaunch({}, 0))),
      ["the pairs do not fit into one Job"],
    );
    assert.deepEqual(
      problemsOf(() => build(makeLaunch({}, 10_000))),
      [],
    );
  });

  test("tasks whose place is not their index: the worker would take another pair", () => {
    const tasks = [{ index: 1, pair: "audusd" }];
    assert.deepEqual(
      problemsOf(() => build(makeLaunch({ tasks }))),
      ["the tasks of a launch are not numbered from 0"],
    );
  });
});
