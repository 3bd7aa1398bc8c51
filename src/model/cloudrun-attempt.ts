/** The name of one start of a task; all tasks of a launch are given the same variables, so it is put together. */
export function nameCloudRunAttempt(execution: string, index: number | string, attempt: number | string): string {
  return `${execution}-${index}-${attempt}`;
}

/** The same, as a worker finds it in its own environment; undefined elsewhere than in a Cloud Run job. */
export function findCloudRunAttempt(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { CLOUD_RUN_EXECUTION: execution, CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_TASK_ATTEMPT: attempt } = environment;
  if (execution === undefined || index === undefined) return undefined;
  return nameCloudRunAttempt(execution, index, attempt ?? "0");
}
