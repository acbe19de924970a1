import * as contract from "@speckit/orchestrator/contract";
import { DEAD_HEADERS, namesOf, ROUTING_KEYS, topologyOf } from "@speckit/orchestrator/rabbitmq";
import { stringify } from "yaml";
import { asyncapiSchemas, camel, dataSchemaId, pascal, schemaRef } from "./asyncapi-schemas.mjs";

const prefix = "speckit";
const names = namesOf(prefix);
const topology = topologyOf(prefix);
const bindingVersion = "0.3.0";

const HEAD = `# Generated from the code's schemas and topology by scripts/generate-docs.mjs: do not edit.
`;

/** docs/asyncapi.yaml: the public contract at the broker, seen from speckit. */
export function asyncapi() {
  return HEAD + stringify(document(), { lineWidth: 100, aliasDuplicateObjects: false });
}

function document() {
  const events = Object.keys(contract.EVENT_DATA);
  return {
    asyncapi: "3.0.0",
    info: {
      title: "speckit",
      version: "1.0.0",
      description: `${[
        "Unattended GitHub Spec Kit runs: publish a request, hear events, get the result.",
        "Seen from speckit: it receives requests and sends the rest.",
        `Names begin with SPECKIT_AMQP_PREFIX (${prefix}). Other exchanges and queues are internal.`,
        "Fields are added without a new version: readers leave alone what they do not know.",
      ].join("\n")}\n`,
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      broker: {
        host: "localhost:5672",
        protocol: "amqp",
        protocolVersion: "0.9.1",
        description: "RabbitMQ 3.10 or newer: the deployment's AMQP_URL.",
      },
    },
    channels: {
      requests: {
        address: ROUTING_KEYS.request,
        description: `The public door. At most ${contract.REQUEST_MAX_BYTES} bytes; publish persistent and mandatory, and wait for the confirm.`,
        messages: { runRequest: message("runRequest") },
        bindings: routingKey(names.requests),
      },
      commands: {
        address: ROUTING_KEYS.command,
        description: "Commands to runs, through the same door.",
        messages: { runCommand: message("runCommand") },
        bindings: routingKey(names.requests),
      },
      replies: {
        address: null,
        description:
          "The requester's own queue, named in the request's reply-to; by default exchange.",
        messages: {
          result: message("result"),
          rejected: message("rejected"),
          commandResult: message("commandResult"),
        },
      },
      ...Object.fromEntries(events.map((type) => [camel(type), eventChannel(type)])),
      deadLetters: {
        address: names.dead,
        description: "Requests that were refused, and poison, kept until somebody looks.",
        messages: { deadLetter: message("deadLetter") },
        bindings: {
          amqp: {
            is: "queue",
            queue: { name: names.dead, durable: true, exclusive: false, autoDelete: false },
            bindingVersion,
          },
        },
      },
    },
    operations: {
      receiveRequest: {
        action: "receive",
        summary: "A request becomes a run, or is refused.",
        channel: channel("requests"),
        messages: [messageIn("requests", "runRequest")],
        bindings: { amqp: { ack: true, bindingVersion } },
        reply: replyWith("result", "rejected"),
      },
      receiveCommand: {
        action: "receive",
        summary: "A command is taken, or refused; one that is no command is kept with its reason.",
        channel: channel("commands"),
        messages: [messageIn("commands", "runCommand")],
        bindings: { amqp: { ack: true, bindingVersion } },
        reply: replyWith("commandResult", "rejected"),
      },
      ...Object.fromEntries(events.map((type) => [`send${pascal(type)}`, eventOperation(type)])),
      sendDeadLetter: {
        action: "send",
        summary: "What was refused, as it came, with the reason in headers.",
        channel: channel("deadLetters"),
        messages: [messageIn("deadLetters", "deadLetter")],
        bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion } },
      },
    },
    components: {
      messages: messages(events),
      schemas: asyncapiSchemas(),
      channelBindings: { events: routingKey(names.events) },
      operationBindings: {
        event: { amqp: { deliveryMode: 2, mandatory: false, bindingVersion } },
      },
    },
  };
}

function replyWith(...keys) {
  return {
    address: {
      location: "$message.header#/reply-to",
      description: "The AMQP property reply-to (no header): a queue, or amq.rabbitmq.reply-to.",
    },
    channel: channel("replies"),
    messages: keys.map((key) => messageIn("replies", key)),
  };
}

function messages(events) {
  return {
    runRequest: {
      name: "runRequest",
      title: "Run request",
      contentType: "application/json",
      correlationId: {
        location: "$message.header#/correlation-id",
        description: "The AMQP property correlation-id (no header); the reply carries the same.",
      },
      payload: schemaRef("RunRequest"),
      examples: [
        { name: "smallest", payload: { ...sentence } },
        {
          name: "repeatable",
          payload: { ...sentence, idempotencyKey: "ticket-4711", baseBranch: "main", dryRun: true },
        },
      ],
    },
    runCommand: {
      name: "runCommand",
      title: "Command",
      contentType: "application/json",
      correlationId: {
        location: "$message.header#/correlation-id",
        description: "The AMQP property correlation-id (no header); the reply carries the same.",
      },
      payload: schemaRef("RunCommand"),
      examples: [
        { name: "cancel", payload: { ...command, command: "cancel" } },
        { name: "answer", payload: { ...command, command: "answer", answers: ["Google", null] } },
      ],
    },
    commandResult: {
      name: "commandResult",
      title: "What became of a command",
      contentType: "application/json",
      payload: schemaRef("CommandResult"),
    },
    result: {
      name: "result",
      title: "Result",
      summary:
        "The run has ended; or, for a request that was accepted before, where its run stands.",
      contentType: "application/json",
      payload: schemaRef("RunResult"),
    },
    rejected: {
      name: "rejected",
      title: "Refusal",
      summary: "There is no run.",
      contentType: "application/json",
      payload: schemaRef("RunRejected"),
    },
    ...Object.fromEntries(events.map((type) => [camel(type), eventMessage(type)])),
    deadLetter: {
      name: "deadLetter",
      title: "Dead letter",
      summary: "Body and properties as they came.",
      headers: deadHeaders(),
      payload: {},
    },
  };
}

const command = {
  schemaVersion: 1,
  commandId: "01a21094-11c8-7a53-a6a0-2d1f5f3b7c10",
  runId: "01a21090-93f7-74f9-afab-16b655e41c38",
};

const sentence = {
  schemaVersion: 1,
  repository: "acme/shop",
  specifyText: "Add OAuth login",
};

function eventMessage(type) {
  return {
    name: type,
    title: `Event ${type}`,
    summary: whenOf(type),
    contentType: "application/cloudevents+json",
    payload: {
      allOf: [
        schemaRef("CloudEvent"),
        {
          type: "object",
          properties: {
            type: { const: contract.eventSchemaOf(type).shape.type.value },
            data: schemaRef(dataSchemaId(type)),
          },
        },
      ],
    },
  };
}

function eventChannel(type) {
  return {
    address: type,
    messages: { [camel(type)]: message(camel(type)) },
    bindings: { $ref: "#/components/channelBindings/events" },
  };
}

function eventOperation(type) {
  return {
    action: "send",
    summary: whenOf(type),
    channel: channel(camel(type)),
    messages: [messageIn(camel(type), camel(type))],
    bindings: { $ref: "#/components/operationBindings/event" },
  };
}

/** By DEAD_HEADERS' own names; one that is not told here would be `undefined`, which the test finds. */
const deadHeaderMeanings = {
  id: "Names the dead letter.",
  code: "The failure's code, one of docs/errors.md.",
  class: "The failure's class.",
  reason: "One line for people.",
  queue: "The queue it came from.",
};

function deadHeaders() {
  return {
    type: "object",
    description: "None of these on what the broker itself moved here: it tells why in x-death.",
    properties: Object.fromEntries(
      Object.entries(DEAD_HEADERS).map(([what, name]) => [
        name,
        { type: "string", description: deadHeaderMeanings[what] },
      ]),
    ),
  };
}

function routingKey(exchangeName) {
  const { name, type } = topology.exchanges.find(({ name }) => name === exchangeName);
  const exchange = { name, type, durable: true, autoDelete: false };
  return { amqp: { is: "routingKey", exchange, bindingVersion } };
}

const whenOf = (type) =>
  contract.EVENT_TYPES[type] ?? "A request or command was refused at the door.";
const channel = (key) => ({ $ref: `#/channels/${key}` });
const message = (key) => ({ $ref: `#/components/messages/${key}` });
const messageIn = (channelKey, key) => ({ $ref: `#/channels/${channelKey}/messages/${key}` });
