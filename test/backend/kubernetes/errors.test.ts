import assert from "node:assert/strict";
import { test } from "node:test";
import { toApiFailure } from "../../../src/backend/kubernetes/errors.ts";

const request = { verb: "create", resource: "jobs", namespace: "fx" } as const;

/** An answer of the API server, as its client throws it. */
function refusal(code: number, message: string, asText = true): Error {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", message, code };
  return Object.assign(new Error(`HTTP-Code: ${code}`), { code, body: asText ? JSON.stringify(body) : body });
}

function judge(error: unknown) {
  const { exitCode, problems } = toApiFailure(error, request);
  const [problem, ...others] = problems;
  assert.ok(problem);
  assert.deepEqual(others, []);
  return { exitCode, ...problem };
}

test("a missing permission is named as the rule that the Role lacks", () => {
  const message =
    'jobs.batch is forbidden: User "ann" cannot create resource "jobs" in API group "batch" in the namespace "fx"';
  for (const asText of [true, false]) {
    const { exitCode, what, found, fix } = judge(refusal(403, message, asText));
    assert.equal(exitCode, 3);
    assert.equal(what, "Kubernetes refused to create jobs in namespace fx");
    assert.equal(found, `HTTP 403: ${message}`);
    assert.match(
      fix,
      /\{apiGroups: \["batch"\], resources: \["jobs"\], verbs: \["create"\]\} to a Role in namespace fx/,
    );
  }
});

test("a quota has the same status, but no rule would help", () => {
  const { exitCode, fix } = judge(refusal(403, 'jobs.batch "x" is forbidden: exceeded quota: jobs'));
  assert.equal(exitCode, 3);
  assert.doesNotMatch(fix, /Role/);
});

test("what a change of settings mends is usage; what time mends is transient", () => {
  const codes = [400, 401, 404, 409, 413, 422, 429, 500, 503, 504].map((code) => judge(refusal(code, "m")).exitCode);
  assert.deepEqual(codes, [2, 3, 2, 75, 2, 2, 75, 75, 75, 75]);
});

test("a connection that fails is transient and tells the cause under the cause; a false certificate is not", () => {
  const connect = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:6443"), { code: "ECONNREFUSED" });
  const refused = judge(new TypeError("fetch failed", { cause: connect }));
  assert.equal(refused.exitCode, 75);
  assert.match(refused.found ?? "", /fetch failed: ECONNREFUSED connect ECONNREFUSED 127\.0\.0\.1:6443/);
  assert.equal(judge(new DOMException("The operation was aborted due to timeout", "TimeoutError")).exitCode, 75);
  const certificate = Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  assert.equal(judge(new TypeError("fetch failed", { cause: certificate })).exitCode, 2);
});

test("an answer that is no Status object is told as it is", () => {
  const gateway = Object.assign(new Error("HTTP-Code: 502"), { code: 502, body: "<html>Bad Gateway</html>" });
  assert.match(judge(gateway).found ?? "", /HTTP 502: <html>Bad Gateway/);
});
