import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";

/** A request to the API server, in the terms of its permissions. */
export interface ApiRequest {
  readonly verb: "create" | "list" | "watch" | "delete" | "patch";
  readonly resource: "jobs" | "pods";
  readonly namespace: string;
}

/** The fields of a refusal (a Status object) that are read here. */
interface Refusal {
  readonly code: number;
  readonly message: string;
}

const groups: Readonly<Record<ApiRequest["resource"], string>> = { jobs: "batch", pods: "" };

/** Connection errors that another attempt cannot fix. */
const trustErrors = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/;

/** The HTTP status of an error of the client; 0 for any other error. */
export function statusOf(error: unknown): number {
  return readRefusal(error)?.code ?? 0;
}

/** Turns any error of a request into a Failure that says what to do. */
export function toApiFailure(error: unknown, request: ApiRequest): Failure {
  if (error instanceof Failure) return error;
  const refusal = readRefusal(error);
  const [exitCode, problem] = refusal === undefined ? judgeConnection(error, request) : judgeRefusal(refusal, request);
  return new Failure(exitCode, [problem], { cause: error });
}

function judgeRefusal({ code, message }: Refusal, request: ApiRequest): readonly [ExitCode, Problem] {
  const what = `Kubernetes refused to ${request.verb} ${request.resource} in namespace ${request.namespace}`;
  const found = `HTTP ${code}: ${message}`;
  if (code === 401)
    return [ExitCode.input, { what, found, fix: "renew the credentials of the kubeconfig's current user" }];
  if (code === 403) return [ExitCode.input, { what, found, fix: explainForbidden(message, request) }];
  if (code === 404)
    return [ExitCode.usage, { what, found, fix: `create the namespace ${request.namespace}, or set another one` }];
  if (code === 400 || code === 413 || code === 415 || code === 422)
    return [ExitCode.usage, { what, found, fix: "change the setting that the message names" }];
  return [ExitCode.transient, { what, found, fix: "run again: the run continues" }];
}

/** Names the rule that a Role lacks. Quotas and admission webhooks answer with the same status. */
function explainForbidden(message: string, { verb, resource, namespace }: ApiRequest): string {
  if (!/ cannot \w+ resource /.test(message))
    return "ask the administrator of the cluster about the limit or policy in the message";
  const rule = `{apiGroups: ["${groups[resource]}"], resources: ["${resource}"], verbs: ["${verb}"]}`;
  return `add the rule ${rule} to a Role in namespace ${namespace} that is bound to this user`;
}

function judgeConnection(error: unknown, request: ApiRequest): readonly [ExitCode, Problem] {
  const found = describeError(error);
  const what = `Kubernetes did not answer the request to ${request.verb} ${request.resource}`;
  if (trustErrors.test(found))
    return [ExitCode.usage, { what, found, fix: "add the certificate authority of this cluster to the kubeconfig" }];
  return [ExitCode.transient, { what, found, fix: "check that this machine can reach the cluster, then run again" }];
}

/** The whole chain of causes: the first error often only says "fetch failed". */
function describeError(error: unknown): string {
  const words: string[] = [];
  for (let link: unknown = error; link instanceof Error && words.length < 5; link = link.cause) {
    const code = "code" in link && typeof link.code === "string" ? `${link.code} ` : "";
    words.push(`${code}${link.message}`.trim());
  }
  return words.length === 0 ? String(error) : words.join(": ");
}

function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "number") return undefined;
  const body = "body" in error ? readBody(error.body) : undefined;
  return { code: error.code, message: body ?? "no reason given" };
}

/** The message of a Status object, which the client returns as a text or as an object. */
function readBody(body: unknown): string | undefined {
  if (typeof body === "string") {
    try {
      return readBody(JSON.parse(body)) ?? body.slice(0, 500);
    } catch {
      return body.slice(0, 500);
    }
  }
  const holds = typeof body === "object" && body !== null && "message" in body;
  return holds && typeof body.message === "string" ? body.message : undefined;
}
