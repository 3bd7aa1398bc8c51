import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { createKubernetesBackend } from "../../../src/backend/kubernetes/backend.ts";
import { Failure } from "../../../src/model/failure.ts";
import { scratchFolder } from "../../support/folder.ts";
import { makeLaunch, makeOptions } from "./support.ts";

const folder = await scratchFolder("kubernetes-connect");
const environment = { WIDEMERGE_INPUT: "gs://bucket/in", WIDEMERGE_OUTPUT: "gs://bucket/out" };
const before = process.env.KUBECONFIG;
after(() => {
  if (before === undefined) delete process.env.KUBECONFIG;
  else process.env.KUBECONFIG = before;
});

/** What a submit says where KUBECONFIG names a file with this content, or one that is not there. */
async function submit(config: object | undefined, kubeContext?: string): Promise<Failure> {
  process.env.KUBECONFIG = join(folder, config === undefined ? "not-there" : "config");
  if (config !== undefined) await writeFile(process.env.KUBECONFIG, JSON.stringify(config));
  const options = makeOptions(kubeContext === undefined ? {} : { kubeContext });
  const error = await createKubernetesBackend(options, environment)
    .submit(makeLaunch())
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  assert.ok(error instanceof Failure, String(error));
  return error;
}

function configOf(server: string): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "one", cluster: { server } }],
    users: [{ name: "ann", user: { token: "t-0-k-e-n" } }],
    contexts: [{ name: "here", context: { cluster: "one", user: "ann" } }],
    "current-context": "here",
  };
}

/** A port of this machine on which nobody listens. */
async function findClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a cluster that cannot be reached is transient; the credentials are not told", async () => {
  const { exitCode, message } = await submit(configOf(`https://127.0.0.1:${await findClosedPort()}`));
  assert.equal(exitCode, 75);
  assert.match(message, /did not answer the request to create jobs.*ECONNREFUSED/);
  assert.doesNotMatch(message, /t-0-k-e-n/);
});

test("no kubeconfig, and a context that it does not have, are told before anything is asked", async () => {
  const missing = await submit(undefined);
  assert.equal(missing.exitCode, 2);
  assert.match(missing.message, /no Kubernetes cluster is configured/);
  const elsewhere = await submit(configOf("https://127.0.0.1:1"), "there");
  assert.equal(elsewhere.exitCode, 2);
  assert.match(elsewhere.message, /no context there, only here/);
});
