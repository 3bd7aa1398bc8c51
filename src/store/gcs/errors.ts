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

/** An answer that is not one to the request: something between here and the service made it up, or cut it. */
export class WireError extends Error {}

const transientStatus: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const brokenConnection =
  /ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|socket hang up|premature close|aborted|unexpected connection closure|network timeout|terminated|fetch failed|no byte for|retry limit exceeded/i;

/** The client throws the error in the body of an answer as a plain object. */
function toError(error: unknown): Error {
  if (error instanceof Error) return error;
  const isObject = typeof error === "object" && error !== null;
  return Object.assign(new Error(messageOf(error)), isObject && "code" in error ? { code: error.code } : {});
}

/** What a client error says, whatever its shape. */
export function messageOf(error: unknown): string {
  const isObject = typeof error === "object" && error !== null;
  return isObject && "message" in error ? String(error.message) : JSON.stringify(error);
}

/** The HTTP status of the answer that an error is about, where the client kept it. */
function answerStatus(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("response" in error)) return undefined;
  const { response } = error;
  if (typeof response !== "object" || response === null || !("statusCode" in response)) return undefined;
  return typeof response.statusCode === "number" ? response.statusCode : undefined;
}

/** Whether an answer that promised success cannot be one of the service: its body is no JSON, or an error. */
function isWireError(error: unknown): boolean {
  const status = answerStatus(error);
  return error instanceof WireError || (status !== undefined && status >= 200 && status < 300);
}

/** The HTTP status of a client error, where it has one: the answer's own rather than one that its body names. */
export function statusOf(error: unknown): number | undefined {
  const answered = answerStatus(error);
  if (answered !== undefined && answered >= 400) return answered;
  if (isWireError(error)) return undefined;
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  const status = Number(error.code);
  return Number.isInteger(status) && status >= 100 ? status : undefined;
}

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (isWireError(error)) return true;
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
  if (isWireError(error)) {
    const fix = "check the proxies on the way, and whether one of them asks for a login; then run again";
    return [ExitCode.transient, { what: `no answer of Cloud Storage when asked to ${action} ${path}`, found, fix }];
  }
  if (isTransient(error)) {
    const fix = "run again; if that does not help, check the network and the status of Cloud Storage";
    return [ExitCode.transient, { what: `Cloud Storage could not ${action} ${path} after several tries`, found, fix }];
  }
  return [ExitCode.unexpected, { what, found, fix: "run again; if that does not help, report it with this text" }];
}

function firstLine(text: string): string {
  return hideSecrets(text.split("\n", 1)[0] ?? "").slice(0, 300);
}
