import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import specifications from "@asyncapi/specs";
import {
  cloudEventSchema,
  EVENT_DATA,
  EVENT_TYPES,
  REJECTED_EVENT,
  runRequestSchema,
} from "@speckit/orchestrator/contract";
import { DEAD_HEADERS, topologyOf } from "@speckit/orchestrator/rabbitmq";
import { Ajv, type AnySchemaObject } from "ajv";
import { default as addFormats } from "ajv-formats";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

type Json = { readonly [name: string]: Json };

const root = fileURLToPath(new URL("../../..", import.meta.url));
const document: Json = parse(readFileSync(join(root, "docs", "asyncapi.yaml"), "utf8"));
const { channels, operations, components } = document as {
  readonly channels: Json;
  readonly operations: Json;
  readonly components: Json;
};

/** Every object and list in a document, with the path to it. */
function* nodes(value: unknown, path = "#"): Generator<readonly [string, Json]> {
  if (typeof value === "object" && value !== null) {
    yield [path, value as Json];
    for (const [name, inner] of Object.entries(value)) {
      yield* nodes(inner, `${path}/${name}`);
    }
  }
}

const at = (reference: string): unknown =>
  reference
    .slice("#/".length)
    .split("/")
    .reduce<unknown>((value, name) => (value as Json | undefined)?.[name], document);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);

/** Validates with one schema of the document, by its reference. */
function validator(reference: string) {
  return ajv.compile({ $ref: reference, components });
}

describe("docs/asyncapi.yaml", () => {
  test("is an AsyncAPI 3.0 document", () => {
    const validate = ajv.compile(specifications.schemasWithoutId["3.0.0"] as AnySchemaObject);
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(
      validate({ ...document, channels: { bad: { bindings: { amqp: { is: "pipe" } } } } }),
    ).toBe(false);
  });

  test("every reference leads somewhere", () => {
    const references = [...nodes(document)].flatMap(([path, node]) =>
      typeof node.$ref === "string" ? [[path, node.$ref as string] as const] : [],
    );
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter(([, reference]) => at(reference) === undefined)).toEqual([]);
  });

  test("an operation's messages are messages of its channel", () => {
    for (const [name, operation] of Object.entries(operations)) {
      for (const side of [operation, operation.reply].filter((side) => side !== undefined)) {
        const channel = String(side.channel?.$ref);
        for (const message of Object.values(side.messages ?? {})) {
          expect(String(message.$ref), name).toMatch(new RegExp(`^${channel}/messages/\\w+$`));
        }
      }
    }
  });

  test("each event, and no other, is a channel whose address is its routing key", () => {
    const told = Object.values(channels)
      .filter((channel) => String(channel.bindings?.$ref ?? "").endsWith("/events"))
      .map((channel) => String(channel.address));
    expect(told.sort()).toEqual([...Object.keys(EVENT_TYPES), REJECTED_EVENT].sort());
  });

  test("exchanges and queues are those that are declared", () => {
    const { exchanges, queues } = topologyOf("speckit");
    const bindings = [...nodes(document)].flatMap(([, { amqp }]) =>
      amqp === undefined ? [] : [amqp],
    );
    const named = (what: "exchange" | "queue") =>
      new Set(bindings.flatMap((binding) => binding[what] ?? []).map(({ name }) => String(name)));
    expect(named("exchange")).toEqual(new Set(["speckit.requests", "speckit.events"]));
    expect(named("queue")).toEqual(new Set(["speckit.dead"]));
    for (const { exchange } of bindings.filter((binding) => binding.exchange !== undefined)) {
      expect(exchanges).toContainEqual(
        expect.objectContaining({ name: exchange?.name, type: exchange?.type }),
      );
    }
    expect(queues.map(({ name }) => name)).toContain("speckit.dead");
  });

  test("each header of a dead letter is told, with its meaning", () => {
    const told = at("#/components/messages/deadLetter/headers/properties") as Json;
    expect(Object.keys(told)).toEqual(Object.values(DEAD_HEADERS));
    expect(Object.values(told).filter(({ description }) => description === undefined)).toEqual([]);
  });

  test("the examples are requests we take", () => {
    const examples = at("#/components/messages/runRequest/examples") as { payload: unknown }[];
    const validate = validator("#/components/schemas/RunRequest");
    for (const { payload } of examples) {
      expect(validate(payload)).toBe(true);
      expect(runRequestSchema.safeParse(payload).success).toBe(true);
    }
    expect(validate({ ...(examples[0]?.payload as object), priority: 1 })).toBe(false);
  });

  test("an event is judged by its schema as by ours", () => {
    const message = validator("#/components/messages/runWaiting/payload");
    const event = {
      specversion: "1.0",
      id: "0198b5a0-0000-7000-8000-000000000001/7",
      source: "/speckit/x",
      type: "speckit.run.waiting",
      subject: "0198b5a0-0000-7000-8000-000000000001",
      time: "2026-01-02T03:04:05.678Z",
      datacontenttype: "application/json",
      data: {
        runId: "0198b5a0-0000-7000-8000-000000000001",
        seq: 7,
        phase: "plan",
        tierMs: 5_000,
        addedLater: true,
      },
    };
    expect(cloudEventSchema.safeParse(event).success).toBe(true);
    expect(message(event)).toBe(true);
    expect(message({ ...event, type: "speckit.run.started" })).toBe(false);
    for (const bad of [{ seq: 0 }, { tierMs: "soon" }, { runId: "7" }]) {
      const data = { ...event.data, ...bad };
      expect(EVENT_DATA["run.waiting"].safeParse(data).success).toBe(false);
      expect(message({ ...event, data })).toBe(false);
    }
  });
});
