/** The module's README says what its files say. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readDeclared, readModuleFile } from "./sources.ts";

const readme = readModuleFile("README.md");

function section(title: string): string {
  const text = readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  assert.ok(text, `no section ${title}`);
  return text;
}

describe("terraform/README.md", () => {
  it("has the inputs of variables.tf", () => {
    const rows = readDeclared("variable", "variables.tf").map(
      ({ name, description, default: value }) =>
        `| \`${name}\` | ${description} | ${value === undefined ? "required" : `\`${value}\``} |`,
    );
    const found = section("Inputs").match(/^\| `.*$/gm);
    assert.ok(rows.length > 10);
    assert.deepEqual(found, rows, `the table should be\n${rows.join("\n")}`);
  });

  it("has the outputs of outputs.tf", () => {
    const rows = readDeclared("output", "outputs.tf").map(
      ({ name, description }) => `| \`${name}\` | ${description} |`,
    );
    const found = section("Outputs").match(/^\| `.*$/gm);
    assert.ok(rows.length > 5);
    assert.deepEqual(found, rows, `the table should be\n${rows.join("\n")}`);
  });

  it("has the cost at rest that the module's tests expect", () => {
    const tests = readModuleFile("tests/kubernetes.tftest.hcl") + readModuleFile("tests/cloudrun.tftest.hcl");
    const texts = [...tests.matchAll(/monthly_cost_at_rest == "(.*\(27 pairs.*)"/g)].map(([, text = ""]) => text);
    assert.equal(texts.length, 2);
    for (const text of texts) assert.ok(section("Monthly cost at rest").includes(text), text);
  });
});
