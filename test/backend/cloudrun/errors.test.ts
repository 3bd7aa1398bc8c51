import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ApiRequest, toApiFailure } from "../../../src/backend/cloudrun/errors.ts";

const request: ApiRequest = { action: "run job a", permission: "run.jobs.run", project: "fx-features" };

/** An error as the client throws it. */
function refuse(code: number | undefined, message: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

const cases = [
  {
    error: refuse(
      7,
      "7 PERMISSION_DENIED: Permission 'run.jobs.create' denied on resource 'projects/p' (or it may not exist).",
    ),
    exitCode: 3,
    fix: /^grant run\.jobs\.create in project fx-features: roles\/run\.developer has it$/,
  },
  {
    error: refuse(7, "7 PERMISSION_DENIED: Permission 'iam.serviceaccounts.actAs' denied on service account w@p.iam"),
    exitCode: 3,
    fix: /iam\.serviceaccounts\.actAs on the tasks' service account: roles\/iam\.serviceAccountUser/,
  },
  {
    error: refuse(
      7,
      "Permission \"artifactregistry.repositories.downloadArtifacts\" denied: permission 'artifactregistry.repositories.downloadArtifacts' denied",
    ),
    exitCode: 3,
    fix: /service agent: roles\/artifactregistry\.reader/,
  },
  { error: refuse(7, "7 PERMISSION_DENIED: no."), exitCode: 3, fix: /^grant run\.jobs\.run in project fx-features/ },
  {
    error: refuse(
      7,
      "Cloud Run Admin API has not been used in project 123 before or it is disabled. Enable it by visiting",
    ),
    exitCode: 2,
    fix: /gcloud services enable run\.googleapis\.com --project fx-features/,
  },
  { error: refuse(7, "This API method requires billing to be enabled."), exitCode: 2, fix: /billing account/ },
  {
    error: refuse(16, "16 UNAUTHENTICATED: Request had invalid credentials."),
    exitCode: 3,
    fix: /application-default login/,
  },
  {
    error: refuse(2, "Getting metadata from plugin failed with error: Could not load the default credentials."),
    exitCode: 3,
    fix: /application-default login/,
  },
  {
    error: refuse(undefined, "Could not load the default credentials."),
    exitCode: 3,
    fix: /application-default login/,
  },
  { error: refuse(3, "3 INVALID_ARGUMENT: memory"), exitCode: 2, fix: /setting that the message names/ },
  { error: refuse(5, "5 NOT_FOUND: Image 'x' not found."), exitCode: 2, fix: /project, region, image/ },
  { error: refuse(8, "8 RESOURCE_EXHAUSTED: Quota exceeded"), exitCode: 75, fix: /--parallelism/ },
  ...[4, 10, 13, 14].map((code) => ({
    error: refuse(code, "later"),
    exitCode: 75,
    fix: /run again: the run continues/,
  })),
  { error: refuse(undefined, "socket hang up"), exitCode: 75, fix: /run again: the run continues/ },
];

describe("errors of Cloud Run", () => {
  for (const { error, exitCode, fix } of cases)
    test(`${error.message.slice(0, 60)} → ${exitCode}`, () => {
      const failure = toApiFailure(error, request);
      const [problem] = failure.problems;
      assert.equal(failure.exitCode, exitCode);
      assert.match(problem?.fix ?? "", fix);
      assert.match(problem?.what ?? "", /run job a$/);
      assert.equal(failure.cause, error);
    });

  test("a failure that has its words already keeps them", () => {
    const failure = toApiFailure(refuse(7, "no"), request);
    assert.equal(toApiFailure(failure, { ...request, action: "other" }), failure);
  });
});
