/** Part of a test double of Cloud Run: what the service refuses in a job, from its documentation. */
import type { protos } from "@google-cloud/run";
import { parseBytes } from "../../src/model/units.ts";
import { Refusal } from "./cloudrun-rpc.ts";

const GiB = 2 ** 30;
/** Virtual CPUs, and the least and the most GiB that go with them. */
const sizes = new Map([
  ["1", [0.5, 4]],
  ["2", [0.5, 8]],
  ["4", [2, 16]],
  ["6", [4, 24]],
  ["8", [4, 32]],
]);
const reserved = /^(CLOUD_RUN_|K_|PORT$)/;

type Refuse = (wrong: boolean, text: string) => void;

/** @throws Refusal (invalid argument) for the first thing that is wrong. */
export function checkJob(jobId: string, job: protos.google.cloud.run.v2.IJob): void {
  const refuse: Refuse = (wrong, text) => {
    if (wrong) throw new Refusal(3, text);
  };
  refuse(!/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(jobId), "job_id: must be lower-case letters, digits and -, at most 63");
  refuse(Boolean(job.name), "job.name: must be empty on creation");
  checkTemplate(job.template ?? {}, refuse);
  for (const [key, value] of Object.entries({ ...job.labels, ...job.template?.labels }))
    refuse(
      !/^[a-z][a-z0-9_-]{0,62}$/.test(key) || !/^[a-z0-9_-]{0,63}$/.test(value),
      `labels: invalid ${key}=${value}`,
    );
  const [container] = job.template?.template?.containers ?? [];
  refuse(!container?.image, "job.template.template.containers[0].image: must be set");
  for (const { name, value } of container?.env ?? [])
    refuse(!name || reserved.test(name) || (value ?? "").length > 32_768, `env: invalid variable ${name}`);
  checkSize(container?.resources?.limits ?? {}, refuse);
}

function checkTemplate(template: protos.google.cloud.run.v2.IExecutionTemplate, refuse: Refuse): void {
  const { taskCount, parallelism } = template;
  const { maxRetries, timeout } = template.template ?? {};
  refuse((taskCount ?? 0) < 1 || (taskCount ?? 0) > 10_000, "job.template.task_count: must be from 1 to 10000");
  refuse((parallelism ?? 0) > (taskCount ?? 0), "job.template.parallelism: must be at most task_count");
  refuse((maxRetries ?? 3) > 10, "job.template.template.max_retries: must be at most 10");
  refuse(Number(timeout?.seconds ?? 600) > 604_800, "job.template.template.timeout: must be at most 7 days");
}

function checkSize({ cpu, memory }: Record<string, string>, refuse: Refuse): void {
  const [least = 0, most = 0] = sizes.get(cpu ?? "") ?? [];
  refuse(most === 0, "resources.limits.cpu: must be 1, 2, 4, 6 or 8");
  const gib = (parseBytes(memory ?? "") ?? 0) / GiB;
  refuse(gib < least || gib > most, `resources.limits.memory: ${memory} does not go with ${cpu} CPU`);
}
