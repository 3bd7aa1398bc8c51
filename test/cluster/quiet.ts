/** Waiting workers as pods of the test cluster, and a controller whose requests are counted on their way to the API server. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { createKubernetesBackend } from "../../src/backend/kubernetes/backend.ts";
import { kubernetesEntries } from "../../src/config/kubernetes.ts";
import type { QuietPlatform } from "../support/quiet.ts";
import { makeStand } from "../support/run.ts";
import { ApiCounter } from "./api-counter.ts";
import { checkout, Field } from "./support.ts";

const image = "localhost/widemerge-quiet:1";

/** @throws when no cluster of scripts/cluster.sh is running. */
export async function openQuietCluster(pairs: readonly string[]): Promise<QuietPlatform & { close(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "widemerge-quiet-"));
  const field = new Field("quiet");
  makeImage(folder);
  field.openNamespace();
  const counter = new ApiCounter(
    JSON.parse(field.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json")),
  );
  const path = join(folder, "kubeconfig");
  writeFileSync(path, JSON.stringify(await counter.open("quiet")));
  // kubectl uses the context of the first file, the controller that of the second one.
  process.env.KUBECONFIG = `${process.env.KUBECONFIG}:${path}`;
  const { namespace } = field;
  const stated = { namespace, image, kubeContext: "quiet", imagePullPolicy: "Never", cpu: 0.05 } as const;
  const environment = { WIDEMERGE_INPUT: "gs://quiet/in", WIDEMERGE_OUTPUT: "gs://quiet/out" };
  return {
    stand: makeStand(folder, pairs),
    machine: createKubernetesBackend(v.parse(v.object(kubernetesEntries), stated), environment),
    ceilingBytes: 64 * 2 ** 20,
    requests: counter.requests,
    end: (pair) => deletePod(field, pair),
    close: () => {
      counter.close();
      field.closeNamespace();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An image without an entrypoint, whose program "merge" waits: it is a copy of the sandbox's probe. */
function makeImage(folder: string): void {
  const root = join(folder, "root");
  const lib = `. ${join(checkout, "test/cluster/lib.sh")} && printf %s "$probe"`;
  const probe = execFileSync("bash", ["-c", lib], { encoding: "utf8" });
  mkdirSync(join(root, "bin"), { recursive: true });
  copyFileSync(probe, join(root, "bin", "merge"));
  for (const path of [root, join(root, "bin"), join(root, "bin", "merge")]) chmodSync(path, 0o755);
  execFileSync(join(checkout, "scripts/cluster.sh"), ["image", root, image], { stdio: "pipe" });
}

/** Deletes the pod of a pair; resolves when the API server shows that its container has ended. */
async function deletePod(field: Field, pair: string): Promise<void> {
  const pod = field.kubectl("get", "pods", "-l", `widemerge/pair=${pair}`, "-o", "name").trim();
  const watch = spawn("kubectl", ["-n", field.namespace, "get", pod, "-w", "-o", "jsonpath={.status.phase}{'\\n'}"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const phases = createInterface(watch.stdout);
  const over = (async () => {
    for await (const phase of phases) if (phase === "Failed") return;
  })();
  field.kubectl("delete", pod, "--wait=false");
  await over;
  watch.kill();
  await once(watch, "close");
}
