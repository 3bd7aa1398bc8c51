/** The id of an attempt, made of what both the service and the task know: all tasks of a launch get the same variables. */
export function nameCloudRunAttempt(execution: string, index: number | string, attempt: number | string): string {
  return `${execution}-${index}-${attempt}`;
}

/** The id of this process's attempt, from its environment; undefined outside of a Cloud Run job. */
export function findCloudRunAttempt(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const { CLOUD_RUN_EXECUTION: execution, CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_TASK_ATTEMPT: attempt } = environment;
  if (execution === undefined || index === undefined) return undefined;
  return nameCloudRunAttempt(execution, index, attempt ?? "0");
}
