import * as v from "valibot";
import { count } from "./values.ts";

const projectText = "a Google Cloud project id, such as fx-features";
const regionText = "a Google Cloud region, such as us-central1";
const accountText = "a service account's address, such as worker@fx-features.iam.gserviceaccount.com";
const timeoutText = "a whole number of seconds from 1 to 604800 (7 days)";
const endpointText = "a host and a port, such as 127.0.0.1:8123";

/** Settings that only the Cloud Run backend has; part of the settings of a run. */
export const cloudRunEntries = {
  project: v.optional(
    v.pipe(
      v.string(projectText),
      v.regex(/^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/, projectText),
      v.description("Google Cloud project of the Cloud Run jobs and of the traces in the log"),
    ),
  ),
  region: v.optional(
    v.pipe(
      v.string(regionText),
      v.regex(/^[a-z]+(-[a-z]+)+[0-9]+$/, regionText),
      v.description("region of the Cloud Run jobs, ideally that of the bucket"),
    ),
  ),
  cloudRunServiceAccount: v.optional(
    v.pipe(
      v.string(accountText),
      v.regex(/^[a-zA-Z0-9.-]+@[a-z0-9.-]+$/, accountText),
      v.description("service account of the Cloud Run tasks; default: the project's default"),
    ),
  ),
  taskTimeout: v.optional(
    v.pipe(count(timeoutText, 7 * 24 * 3600), v.description("seconds after which Cloud Run stops a task")),
    4 * 3600,
  ),
  cloudRunEndpoint: v.optional(
    v.pipe(
      v.string(endpointText),
      v.regex(/^[a-z0-9.-]+:\d{1,5}$/i, endpointText),
      v.description("Cloud Run emulator to use, without encryption or credentials"),
    ),
  ),
};
