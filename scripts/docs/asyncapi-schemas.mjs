import * as contract from "@speckit/orchestrator/contract";
import { z } from "zod";

const refTo = (id) => `#/components/schemas/${id}`;
export const schemaRef = (id) => ({ $ref: refTo(id) });

/** `run.cancel_requested` → `runCancelRequested`: names that code generators can use. */
export const camel = (type) => type.replace(/[._](\w)/g, (_all, letter) => letter.toUpperCase());
export const pascal = (type) => camel(`.${type}`);

/** The contract's zod schemas as AsyncAPI schema objects (JSON Schema draft 7) that refer to each other by name. */
export function asyncapiSchemas() {
  const registry = z.registry();
  const named = {
    RunRequest: contract.runRequestSchema,
    RunCommand: contract.runCommandSchema,
    CommandResult: contract.commandResultSchema,
    RunResult: contract.runResultSchema,
    RunRejected: contract.runRejectedSchema,
    Failure: contract.failureSchema,
    Finding: contract.findingSchema,
    Usage: contract.usageSchema,
    Diff: contract.diffSchema,
    CloudEvent: contract.cloudEventSchema,
  };
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  for (const [type, schema] of Object.entries(contract.EVENT_DATA)) {
    // A copy: events of the same shape are named apart.
    if (!registry.has(schema)) registry.add(schema.meta({}), { id: `${pascal(type)}Data` });
  }
  const { schemas } = z.toJSONSchema(registry, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    uri: refTo,
    override: ({ jsonSchema }) => tidy(jsonSchema),
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _dialect, $id: _id, ...schema }]) => [id, schema]),
  );
}

/** Name of the schema of an event's `data`. */
export const dataSchemaId = (type) =>
  contract.EVENT_DATA[type] === contract.runRejectedSchema ? "RunRejected" : `${pascal(type)}Data`;

/** Leaves out what only repeats: a pattern beside the format it spells out, and the bounds of every safe integer. */
function tidy(schema) {
  delete schema.readOnly;
  if (schema.format === "uuid" || schema.format === "date-time") delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}
