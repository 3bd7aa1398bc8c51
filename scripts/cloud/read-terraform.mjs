// read-terraform.mjs outputs|plan : reads terraform's JSON from stdin and prints what bash needs, one `name=value` per line.
import { readFileSync } from "node:fs";

const text = readFileSync(0, "utf8");
const document = text.trim() === "" ? {} : JSON.parse(text);

const print = (name, value) => {
  if (value === null || value === undefined) return;
  const line = typeof value === "object" ? JSON.stringify(value) : String(value);
  console.log(`${name}=${line.replace(/\s+/g, " ").trim()}`);
};

/** Prints `terraform output -json`; a member of an object is printed as kubernetes_context. */
function printOutputs() {
  for (const [name, { value }] of Object.entries(document)) {
    if (typeof value !== "object" || value === null) print(name, value);
    else for (const [member, inner] of Object.entries(value)) print(`${name}_${member}`, inner);
  }
}

/**
 * Prints `terraform show -json` of a plan: resources that are created and updated, counted by type; resources that are
 * deleted or replaced, by address; the bucket's name if it is new; and the cost at rest.
 */
function printPlan() {
  const kinds = new Map();
  for (const change of listChanges()) {
    if (change.actions.includes("delete"))
      print("line", `${change.actions === "delete" ? "DELETE" : "REPLACE"} ${change.address}`);
    else kinds.set(`${change.actions} ${change.type}`, (kinds.get(`${change.actions} ${change.type}`) ?? 0) + 1);
    if (change.address === "google_storage_bucket.data" && change.actions === "create")
      print("bucket", change.after?.name);
  }
  for (const [kind, count] of [...kinds].sort()) print("line", count === 1 ? kind : `${kind} × ${count}`);
  print("cost", document.planned_values?.outputs?.monthly_cost_at_rest?.value);
}

/** The changes of resources in a plan, each with its actions as one word: create, update, delete, delete-create. */
function listChanges() {
  return (document.resource_changes ?? [])
    .map(({ address, type, mode, change }) => ({
      address,
      type,
      mode,
      actions: change.actions.join("-"),
      after: change.after,
    }))
    .filter(({ mode, actions }) => mode !== "data" && actions !== "no-op");
}

if (process.argv[2] === "plan") printPlan();
else printOutputs();
