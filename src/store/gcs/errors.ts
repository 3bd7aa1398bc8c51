import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import { hideSecrets } from "../../model/secrets.ts";

/** The action that failed, as a verb for error messages. */
export type Action = "list" | "read" | "write" | "compose" | "delete";

/** The permission that each action needs on a bucket. */
const permissions: Readonly<Record<Action, string>> = {
  list: "storage.objects.list",
  read: "storage.objects.get",
  write: "storage.objects.create",
  compose: "storage.objects.create and storage.objects.get",
  delete: "storage.objects.delete",
};

const transientStatus: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const brokenConnection =
  /ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|socket hang up|premature close|aborted|unexpected connection closure|network timeout|terminated|fetch failed|no byte for|retry limit exceeded/i;

/** The client throws the error in the body of an answer as a plain object. */
function toError(error: unknown): Error {
  if (error instanceof Error) return error;
  const isObject = typeof error === "object" && error !== null;
  const message = isObject && "message" in error ? String(error.message) : JSON.stringify(error);
  return Object.assign(new Error(message), isObject && "code" in error ? { code: error.code } : {});
}

/** The HTTP status of a client error, where it has one. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  const status = Number(error.code);
  return Number.isInteger(status) && status >= 100 ? status : undefined;
}

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return transientStatus.has(status);
  if (!(error instanceof Error)) return brokenConnection.test(reasonsOf(error));
  const code = "code" in error ? String(error.code) : "";
  return brokenConnection.test(`${code} ${error.message} ${error.name}`);
}

/** When the start of a resumable upload gets no answer, the client reports an object that has nothing but codes. */
function reasonsOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("errors" in error) || !Array.isArray(error.errors)) return "";
  return error.errors.map(({ reason }: { readonly reason?: unknown }) => String(reason)).join(" ");
}

/** A client error as a Failure with its cause, the path, and what to grant or do. */
export function toStorageFailure(error: unknown, action: Action, path: string): Failure {
  if (error instanceof Failure) return error;
  const cause = toError(error);
  const [exitCode, problem] = explain(cause, action, path);
  return new Failure(exitCode, [problem], { cause });
}

function explain(error: Error, action: Action, path: string): [ExitCode, Problem] {
  const status = statusOf(error);
  const what = `Cloud Storage refused to ${action} ${path}`;
  const found = status === undefined ? firstLine(error.message) : `HTTP ${status}, ${firstLine(error.message)}`;
  if (status === 403) {
    const fix = `grant ${permissions[action]} on the bucket to this identity; roles/storage.objectUser includes it`;
    return [ExitCode.input, { what, found, fix }];
  }
  if (status === 401 || /default credentials|invalid_grant|reauth/i.test(error.message)) {
    const fix = "log in with `gcloud auth application-default login`, or run as a service account";
    return [ExitCode.input, { what: `no valid credentials to ${action} ${path}`, found, fix }];
  }
  if (status === 404)
    return [
      ExitCode.input,
      { what: `no such bucket or object to ${action}: ${path}`, found, fix: "check the bucket and the name" },
    ];
  if (isTransient(error)) {
    const fix = "run again; if that does not help, check the network and the status of Cloud Storage";
    return [ExitCode.transient, { what: `Cloud Storage could not ${action} ${path} after several tries`, found, fix }];
  }
  return [ExitCode.unexpected, { what, found, fix: "run again; if that does not help, report it with this text" }];
}

function firstLine(text: string): string {
  return hideSecrets(text.split("\n", 1)[0] ?? "").slice(0, 300);
}
