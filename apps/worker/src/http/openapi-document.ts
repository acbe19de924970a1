import { failureSchema } from "@speckit/orchestrator/contract";
import { z } from "zod";
import type { Resource } from "./resource.ts";
import { RESOURCES } from "./resources.ts";

type Json = Readonly<Record<string, unknown>>;

const errorSchema = failureSchema.pick({ code: true, message: true, remedy: true });

const REFUSALS = {
  400: "A parameter is wrong; the message names it.",
  401: "The token is missing, or another one.",
  403: "The worker has no SPECKIT_HTTP_TOKEN: runs cannot be read here.",
  404: "There is no such run.",
  500: "Something that should not be; the worker's log has it.",
  503: "The worker's services are away, or too many requests wait. Ask again.",
} as const;

/** The OpenAPI 3.1 document of the worker's read-only HTTP interface, made from what it answers by. */
export function openApiDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "speckit",
      version: "1.0.0",
      description:
        "Runs, read-only, at a worker's health server. Every worker of a deployment answers the same.\nFields are added without a new version: readers leave alone what they do not know.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "http://localhost:8080", description: "SPECKIT_HEALTH_HOST and _PORT" }],
    security: [{ token: [] }],
    paths: {
      ...Object.fromEntries(RESOURCES.map((resource) => [resource.path, pathItem(resource)])),
      "/v1/openapi.json": {
        get: {
          operationId: "showOpenApi",
          summary: "This document; needs no token.",
          security: [],
          responses: { 200: json("The document.", { type: "object" }) },
        },
      },
    },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "SPECKIT_HTTP_TOKEN" },
      },
      responses: Object.fromEntries(
        Object.entries(REFUSALS).map(([status, description]) => [
          `Refused${status}`,
          json(description, { $ref: refTo("Error") }),
        ]),
      ),
      schemas: schemas(),
    },
  };
}

function pathItem({ path, operationId, summary, query, answer }: Resource): Json {
  const ofRun = path.includes("{runId}");
  const refusals = Object.keys(REFUSALS).filter((status) => ofRun || status !== "404");
  return {
    get: {
      operationId,
      summary,
      parameters: [
        ...(ofRun
          ? [
              {
                name: "runId",
                in: "path",
                required: true,
                schema: { type: "string", format: "uuid" },
              },
            ]
          : []),
        ...parametersOf(query),
      ],
      responses: {
        200: json(summary, { $ref: refTo(answer.name) }),
        ...Object.fromEntries(
          refusals.map((status) => [status, { $ref: `#/components/responses/Refused${status}` }]),
        ),
      },
    },
  };
}

function parametersOf(query: z.ZodObject): readonly Json[] {
  const { properties = {} } = z.toJSONSchema(query, { io: "output", override: tidy });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as { readonly description?: string };
    return { name, in: "query", required: false, ...(description ? { description } : {}), schema };
  });
}

/** Every answer's schema by name, as JSON Schema 2020-12: the dialect of OpenAPI 3.1. */
function schemas(): Json {
  const named: Readonly<Record<string, z.ZodObject>> = {
    ...Object.fromEntries(RESOURCES.map(({ answer }) => [answer.name, answer.schema])),
    Error: errorSchema,
  };
  const registry = z.registry<{ readonly id: string }>();
  for (const [id, schema] of Object.entries(named)) {
    registry.add(schema, { id });
  }
  const made = z.toJSONSchema(registry, { io: "input", uri: refTo, override: tidy });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([id, { $schema: _dialect, $id: _id, ...schema }]) => [
      id,
      schema,
    ]),
  );
}

/** Leaves out what only repeats: a pattern beside the format it spells out, bounds of every safe integer. */
function tidy({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  delete jsonSchema.readOnly;
  if (["uuid", "date-time", "date"].includes(jsonSchema.format ?? "")) {
    delete jsonSchema.pattern;
  }
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) {
    delete jsonSchema.minimum;
  }
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) {
    delete jsonSchema.maximum;
  }
}

function json(description: string, schema: Json): Json {
  return { description, content: { "application/json": { schema } } };
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}
