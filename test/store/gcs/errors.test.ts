import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ExitCode } from "../../../src/model/exit-code.ts";
import { Failure } from "../../../src/model/failure.ts";
import { type Action, toStorageFailure } from "../../../src/store/gcs/errors.ts";

const path = "gs://bucket/training/x";

interface Case {
  readonly name: string;
  readonly error: unknown;
  readonly action: Action;
  readonly exitCode: ExitCode;
  readonly says: RegExp;
}

function answer(status: number, message: string): Error {
  return Object.assign(new Error(message), { code: status });
}

const cases: readonly Case[] = [
  {
    name: "no permission: what to grant",
    error: answer(403, "denied"),
    action: "compose",
    exitCode: ExitCode.input,
    says: /refused to compose .*HTTP 403, denied.*storage\.objects\.create and storage\.objects\.get/,
  },
  {
    name: "no credentials: how to log in",
    error: new Error("Could not load the default credentials. Browse to …"),
    action: "read",
    exitCode: ExitCode.input,
    says: /no valid credentials to read .*gcloud auth application-default login/,
  },
  {
    name: "no such object",
    error: answer(404, "No such object"),
    action: "read",
    exitCode: ExitCode.input,
    says: /no such bucket or object to read: .*check the bucket and the name/,
  },
  ...[408, 429, 500, 502, 503, 504].map((status) => ({
    name: `HTTP ${status}: another time`,
    error: answer(status, "busy"),
    action: "write" as const,
    exitCode: ExitCode.transient,
    says: /could not write .* after several tries.*run again/,
  })),
  ...["ECONNRESET", "ENOTFOUND", "EAI_AGAIN"].map((code) => ({
    name: `${code}: another time`,
    error: Object.assign(new Error(`getaddrinfo ${code} storage.googleapis.com`), { code }),
    action: "list" as const,
    exitCode: ExitCode.transient,
    says: /could not list .* after several tries.*check the network/,
  })),
  {
    name: "the body of an answer, thrown as it is",
    error: { code: 503, message: "busy" },
    action: "delete",
    exitCode: ExitCode.transient,
    says: /HTTP 503, busy/,
  },
  {
    name: "a body that names another status than the answer",
    error: Object.assign(answer(404, "busy"), { response: { statusCode: 503 } }),
    action: "read",
    exitCode: ExitCode.transient,
    says: /could not read .*HTTP 503, busy/,
  },
  {
    name: "HTTP 408 whose body is a text",
    error: Object.assign(new Error("busy"), { response: { statusCode: 408 } }),
    action: "list",
    exitCode: ExitCode.transient,
    says: /could not list .*HTTP 408, busy/,
  },
  {
    name: "success whose body is no JSON",
    error: Object.assign(answer(404, "Cannot parse response as JSON: <html>"), { response: { statusCode: 200 } }),
    action: "list",
    exitCode: ExitCode.transient,
    says: /no answer of Cloud Storage when asked to list .*Cannot parse .*check the proxies/,
  },
  {
    name: "anything else",
    error: answer(400, "what?\nstack"),
    action: "write",
    exitCode: ExitCode.unexpected,
    says: /refused to write .*HTTP 400, what\?[^\n]*report it/,
  },
];

describe("an error of the Cloud Storage client", () => {
  for (const { name, error, action, exitCode, says } of cases)
    test(name, () => {
      const failure = toStorageFailure(error, action, path);
      assert.equal(failure.exitCode, exitCode);
      assert.match(failure.message, says);
      assert.ok(failure.message.includes(path));
    });

  test("a failure that is one already stays as it is", () => {
    const failure = new Failure(ExitCode.verification, [{ what: "a", found: "b", fix: "c" }]);
    assert.equal(toStorageFailure(failure, "read", path), failure);
  });
});
