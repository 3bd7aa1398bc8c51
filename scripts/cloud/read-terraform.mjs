// read-terraform.mjs outputs|plan : what bash needs of the JSON on stdin, one `name=value` a line.
import { readFileSync } from "node:fs";

const text = readFileSync(0, "utf8");
const document = text.trim() === "" ? {} : JSON.parse(text);

const print = (name, value) => {
  if (value === null || value === undefined) return;
  const line = typeof value === "object" ? JSON.stringify(value) : String(value);
  console.log(`${name}=${line.replace(/\s+/g, " ").trim()}`);
};

/** `terraform output -json`; members of objects as kubernetes_context. */
function printOutputs() {
  for (const [name, { value }] of Object.entries(document)) {
    if (typeof value !== "object" || value === null) print(name, value);
    else for (const [member, inner] of Object.entries(value)) print(`${name}_${member}`, inner);
  }
}

/** `terraform show -json` of a plan: what is made and changed by kind, what goes by its name, the bucket, the cost. */
function printPlan() {
  const kinds = new Map();
  for (const { address, type, mode, change } of document.resource_changes ?? []) {
    const actions = change.actions.join("-");
    if (mode === "data" || actions === "no-op") continue;
    if (actions.includes("delete")) print("line", `${actions === "delete" ? "DELETE" : "REPLACE"} ${address}`);
    else kinds.set(`${actions} ${type}`, (kinds.get(`${actions} ${type}`) ?? 0) + 1);
    if (address === "google_storage_bucket.data" && actions === "create") print("bucket", change.after?.name);
  }
  for (const [kind, count] of [...kinds].sort()) print("line", count === 1 ? kind : `${kind} × ${count}`);
  print("cost", document.planned_values?.outputs?.monthly_cost_at_rest?.value);
}

if (process.argv[2] === "plan") printPlan();
else printOutputs();
