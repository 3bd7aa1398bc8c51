import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";

/** A request to Cloud Run: in words, and by the permission that it needs. */
export interface ApiRequest {
  /** "create job x", for messages such as "Cloud Run refused to create job x". */
  readonly action: string;
  readonly permission: string;
  readonly project: string;
}

/** The gRPC status codes that are handled here. */
export const Code = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

const credentials =
  /default credentials|credential file|invalid_grant|invalid_rapt|reauth|refresh token|metadata server/i;
const login = "log in with `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS";

/** The gRPC status code of an error of the client; undefined for any other error. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}

/** Turns any error of a request into a Failure that says what to do. */
export function toApiFailure(error: unknown, request: ApiRequest): Failure {
  if (error instanceof Failure) return error;
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 1000);
  const [exitCode, fix] = judge(codeOf(error), message, request);
  const verb = codeOf(error) === undefined ? "did not answer the request" : "refused";
  const what = `Cloud Run ${verb} to ${request.action}`;
  const problem: Problem = { what, found: message, fix };
  return new Failure(exitCode, [problem], { cause: error });
}

function judge(code: number | undefined, message: string, request: ApiRequest): readonly [ExitCode, string] {
  if (code === Code.unauthenticated || credentials.test(message)) return [ExitCode.input, login];
  if (code === Code.permissionDenied) return judgeDenial(message, request);
  if (code === Code.resourceExhausted)
    return [ExitCode.transient, "lower --parallelism or ask for the quota that it names, then run again"];
  if (code === Code.notFound)
    return [ExitCode.usage, "check that the project, region, image and service account exist under these names"];
  const final: readonly (number | undefined)[] = [
    Code.invalidArgument,
    Code.failedPrecondition,
    Code.outOfRange,
    Code.unimplemented,
  ];
  if (final.includes(code)) return [ExitCode.usage, "change the setting that the message names"];
  return [ExitCode.transient, "run again: the run continues"];
}

/** A disabled API, a project without billing and a missing permission have the same status code. */
function judgeDenial(message: string, { permission, project }: ApiRequest): readonly [ExitCode, string] {
  if (/SERVICE_DISABLED|has not been used in project|API .*is disabled|it is disabled/i.test(message))
    return [
      ExitCode.usage,
      `enable it with \`gcloud services enable run.googleapis.com --project ${project}\`, and wait a minute`,
    ];
  if (/billing/i.test(message)) return [ExitCode.usage, `link project ${project} to a billing account`];
  const missing = /[Pp]ermission '?([a-zA-Z]+(?:\.[a-zA-Z]+){2,})'?/.exec(message)?.[1] ?? permission;
  return [ExitCode.input, adviseRole(missing, project)];
}

/** Advice with the smallest predefined role that has the permission. */
function adviseRole(permission: string, project: string): string {
  if (/^iam\.serviceaccounts\.actas$/i.test(permission))
    return `grant ${permission} on the tasks' service account: roles/iam.serviceAccountUser`;
  if (permission.startsWith("artifactregistry.") || permission.startsWith("storage."))
    return `grant ${permission} on the image's repository to Cloud Run's service agent: roles/artifactregistry.reader`;
  return `grant ${permission} in project ${project}: roles/run.developer has it`;
}
