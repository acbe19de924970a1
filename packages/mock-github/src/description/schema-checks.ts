import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import type { OpenApiDocument, Schema } from "./load-description.ts";

/** Checks a value against a schema of the description. @returns what is wrong, in words; none when nothing is */
export type CheckSchema = (schema: Schema, value: unknown) => readonly string[];

const checks = new WeakMap<OpenApiDocument, CheckSchema>();

export function schemaChecks(document: OpenApiDocument): CheckSchema {
  const present = checks.get(document);
  if (present !== undefined) {
    return present;
  }
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    logger: false,
    validateSchema: false,
    // A pull request holds its repository four times over: compiled once, and not for speed.
    inlineRefs: false,
    code: { optimize: false },
  });
  (addFormats as unknown as typeof addFormats.default)(ajv);
  const compiled = new WeakMap<Schema, ValidateFunction>();
  const translated = new Set<object>();

  /** Brings a schema and all it refers to into JSON Schema, and the latter to ajv's knowledge, once. */
  function translate(value: unknown): void {
    if (typeof value !== "object" || value === null || translated.has(value)) {
      return;
    }
    translated.add(value);
    const schema = value as Schema;
    const { $ref } = schema;
    if (typeof $ref === "string" && $ref.startsWith(PREFIX)) {
      const name = $ref.slice(PREFIX.length);
      const target = document.components.schemas[name];
      translate(target);
      const id = `component:${name}`;
      if (target !== undefined && ajv.schemas[id] === undefined) {
        ajv.addSchema(target, id);
      }
      schema.$ref = id;
      return;
    }
    for (const child of Object.values(schema)) {
      translate(child);
    }
    allowNull(schema);
  }

  const check: CheckSchema = (schema, value) => {
    let validate = compiled.get(schema);
    if (validate === undefined) {
      translate(schema);
      validate = ajv.compile(schema);
      compiled.set(schema, validate);
    }
    validate(value);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath || "/"} ${message ?? "is wrong"} ${JSON.stringify(params)}`,
    );
  };
  checks.set(document, check);
  return check;
}

const PREFIX = "#/components/schemas/";

/** OpenAPI 3.0 says `nullable`, also beside a list of values or of alternatives; JSON Schema has no such word. */
function allowNull(schema: Schema): void {
  if (schema.nullable !== true) {
    return;
  }
  delete schema.nullable;
  if (typeof schema.type === "string") {
    schema.type = [schema.type, "null"];
  }
  if (Array.isArray(schema.enum) && !schema.enum.includes(null)) {
    schema.enum.push(null);
  }
  for (const word of ["oneOf", "anyOf"] as const) {
    const alternatives = schema[word];
    if (Array.isArray(alternatives)) {
      alternatives.push({ type: "null" });
    }
  }
  if (Array.isArray(schema.allOf)) {
    const { allOf } = schema;
    delete schema.allOf;
    schema.anyOf = [{ allOf }, { type: "null" }];
  }
}
