/** The controller's Role of k8s/: enough for everything, and nothing in it that is not used. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { createKubernetesBackend } from "../../src/backend/kubernetes/backend.ts";
import { Failure } from "../../src/model/failure.ts";
import type { TaskStatus } from "../../src/model/run.ts";
import { watchToEnd } from "../support/watch.ts";
import { Field, launchOf, whySkipped } from "./support.ts";

const skip = whySkipped();
const checkout = new URL("../..", import.meta.url).pathname;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules of the controller's Role, from k8s/ itself. */
function readRules(): readonly Rule[] {
  const documents = parseAllDocuments(readFileSync(join(checkout, "k8s/base/accounts.yaml"), "utf8"));
  const role = documents.map((document) => document.toJS()).find(({ kind }) => kind === "Role");
  return role.rules;
}

const needed = ["create jobs", "list jobs", "delete jobs", "list pods"];
/** A watch only saves waiting; a label on a pod is for people. */
const helpful = ["watch jobs", "watch pods", "patch pods"];
const order = [
  ...["create", "list", "watch", "delete"].map((verb) => `${verb} jobs`),
  ...["list", "watch", "patch"].map((verb) => `${verb} pods`),
];

function nameOf(right: string): string {
  return `without-${right.replace(" ", "-")}`;
}

function without(right: string): readonly Rule[] {
  return readRules().map((rule) => ({
    ...rule,
    verbs: rule.verbs.filter((verb) => `${verb} ${rule.resources}` !== right),
  }));
}

describe("the controller's Role", { skip, timeout: 300_000 }, () => {
  const own = new Field("role");
  const admin = process.env.KUBECONFIG ?? "";
  before(() => {
    own.open();
    own.sample(["nzdusd"], "--tables", "5");
  });
  after(() => {
    process.env.KUBECONFIG = admin;
    own.close();
  });

  /** Submits, watches to the end and cancels, with no other right than these rules. */
  async function carryOut(run: string, rules: readonly Rule[]): Promise<TaskStatus["state"] | undefined> {
    process.env.KUBECONFIG = admin;
    process.env.KUBECONFIG = own.restrict(run, rules);
    const backend = createKubernetesBackend(own.options, own.environment);
    const handle = await backend.submit(launchOf(run, ["nzdusd"]));
    const [task] = await watchToEnd(backend, handle);
    await backend.cancel(handle);
    return task?.state;
  }

  test("is enough for a launch from submit to cancel", async () => {
    assert.equal(await carryOut("whole", readRules()), "succeeded");
  });

  test("grants exactly seven verbs, each of which is tried below", () => {
    assert.deepEqual(
      readRules().flatMap(({ resources, verbs }) => verbs.map((verb) => `${verb} ${resources}`)),
      [...needed, ...helpful].sort((left, right) => order.indexOf(left) - order.indexOf(right)),
    );
  });

  for (const right of needed)
    test(`without ${right} it stops and says so`, async () => {
      const error = await carryOut(nameOf(right), without(right)).then(String, (reason: unknown) => reason);
      assert.ok(error instanceof Failure, String(error));
      const [verb = "", resource = ""] = right.split(" ");
      assert.equal(error.exitCode, 3);
      assert.ok(error.message.includes(`refused to ${right} in namespace ${own.namespace}`), error.message);
      const group = resource === "jobs" ? "batch" : "";
      const rule = `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}`;
      assert.ok(error.message.includes(`add the rule ${rule} to a Role`), error.message);
    });

  for (const right of helpful)
    test(`without ${right} it does its work all the same`, async () => {
      assert.equal(await carryOut(nameOf(right), without(right)), "succeeded");
    });
});
