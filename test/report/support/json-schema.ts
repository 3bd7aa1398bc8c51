import * as v from "valibot";

/** JSON Schema (2020-12) of a Valibot schema, for the kinds that the reports use. @throws TypeError for any other. */
export function toJsonSchema(schema: v.GenericSchema): Record<string, unknown> {
  const pipe = "pipe" in schema && Array.isArray(schema.pipe) ? schema.pipe.slice(1) : [];
  const description = v.getDescription(schema as v.GenericSchema & { pipe: never });
  const own = kindOf(schema);
  for (const action of pipe) {
    if (action.type === "integer") own.type = "integer";
    else if (action.type === "min_value") own.minimum = action.requirement;
    else if (action.kind === "schema") Object.assign(own, toJsonSchema(action));
    else if (!["readonly", "description"].includes(action.type)) throw new TypeError(`no rule for ${action.type}`);
  }
  return description === undefined ? own : { description, ...own };
}

// biome-ignore lint/suspicious/noExplicitAny: Valibot's generic schema hides what each kind holds
function kindOf(schema: any): Record<string, unknown> {
  if (schema.type === "string" || schema.type === "number" || schema.type === "boolean") return { type: schema.type };
  if (schema.type === "unknown") return {};
  if (schema.type === "literal") return { const: schema.literal };
  if (schema.type === "picklist") return { enum: schema.options };
  if (schema.type === "array") return { type: "array", items: toJsonSchema(schema.item) };
  if (schema.type === "union") return { anyOf: schema.options.map(toJsonSchema) };
  if (schema.type === "nullable") return { anyOf: [toJsonSchema(schema.wrapped), { type: "null" }] };
  if (schema.type === "record") return { type: "object", additionalProperties: toJsonSchema(schema.value) };
  if (schema.type === "tuple") {
    const items = schema.items.map(toJsonSchema);
    return { type: "array", prefixItems: items, minItems: items.length, maxItems: items.length };
  }
  if (schema.type === "strict_object") return objectOf(schema.entries);
  throw new TypeError(`no rule for ${schema.type}`);
}

function objectOf(entries: Record<string, v.GenericSchema & { wrapped?: v.GenericSchema }>): Record<string, unknown> {
  const properties = Object.entries(entries).map(([name, entry]) => [name, toJsonSchema(unwrap(entry))]);
  const required = Object.entries(entries).flatMap(([name, entry]) => (entry.type === "exact_optional" ? [] : [name]));
  return { type: "object", properties: Object.fromEntries(properties), required, additionalProperties: false };
}

/** The schema of an entry's value. */
function unwrap(entry: v.GenericSchema & { wrapped?: v.GenericSchema }): v.GenericSchema {
  return entry.type === "exact_optional" && entry.wrapped !== undefined ? entry.wrapped : entry;
}
