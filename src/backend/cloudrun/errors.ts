import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";

/** What was asked of Cloud Run: in words, and by the permission that it takes. */
export interface ApiRequest {
  /** "create job x": goes on "Cloud Run refused to …". */
  readonly action: string;
  readonly permission: string;
  readonly project: string;
}

/** Codes of gRPC, as far as they are told apart. */
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

/** The gRPC code of an error of the client; undefined for any other. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}

/** Any error of a request as a Failure: who must do what, or that it may pass. */
export function toApiFailure(error: unknown, request: ApiRequest): Failure {
  if (error instanceof Failure) return error;
  const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 1000);
  const [exitCode, fix] = judge(codeOf(error), message, request);
  const what = `Cloud Run ${codeOf(error) === undefined ? "could not be asked" : "refused"} to ${request.action}`;
  const problem: Problem = { what, found: message, fix };
  return new Failure(exitCode, [problem], { cause: error });
}

function judge(code: number | undefined, message: string, request: ApiRequest): readonly [ExitCode, string] {
  if (code === Code.unauthenticated || credentials.test(message)) return [ExitCode.input, login];
  if (code === Code.permissionDenied) return judgeDenial(message, request);
  if (code === Code.resourceExhausted)
    return [ExitCode.transient, "lower --parallelism or ask for the quota that it names, then run again"];
  if (code === Code.notFound)
    return [ExitCode.usage, "check that project, region, image and service account are there under these names"];
  const final: readonly (number | undefined)[] = [
    Code.invalidArgument,
    Code.failedPrecondition,
    Code.outOfRange,
    Code.unimplemented,
  ];
  if (final.includes(code)) return [ExitCode.usage, "change the setting that the message names"];
  return [ExitCode.transient, "run again; what was started is found again"];
}

/** An API that is switched off, a bill that nobody pays and a missing permission come with the same code. */
function judgeDenial(message: string, { permission, project }: ApiRequest): readonly [ExitCode, string] {
  if (/SERVICE_DISABLED|has not been used in project|API .*is disabled|it is disabled/i.test(message))
    return [
      ExitCode.usage,
      `switch it on with \`gcloud services enable run.googleapis.com --project ${project}\`, and wait a minute`,
    ];
  if (/billing/i.test(message)) return [ExitCode.usage, `link project ${project} to a billing account`];
  const missing = /[Pp]ermission '?([a-zA-Z]+(?:\.[a-zA-Z]+){2,})'?/.exec(message)?.[1] ?? permission;
  return [ExitCode.input, adviseRole(missing, project)];
}

/** The smallest predefined role that has a permission. */
function adviseRole(permission: string, project: string): string {
  if (/^iam\.serviceaccounts\.actas$/i.test(permission))
    return `grant ${permission} on the tasks' service account: roles/iam.serviceAccountUser`;
  if (permission.startsWith("artifactregistry.") || permission.startsWith("storage."))
    return `grant ${permission} on the image's repository to Cloud Run's service agent: roles/artifactregistry.reader`;
  return `grant ${permission} in project ${project}: roles/run.developer has it`;
}
