import { expect, test } from "vitest";

test("the main entry exports what we meant", async () => {
  expect(Object.keys(await import("../src/index.ts")).sort()).toMatchInlineSnapshot(`
    [
      "AGENT_PHASES",
      "DEFAULT_SETTINGS",
      "ERROR_CODES",
      "EXIT_CODES",
      "FAILURE_CLASSES",
      "METRICS",
      "OUTCOMES",
      "Orchestrator",
      "PHASES",
      "RUN_STATUSES",
      "SpeckitError",
      "branchNameFor",
      "cloudEventOf",
      "decide",
      "dispositionOf",
      "exitCodeOf",
      "exitCodeOfFailure",
      "failure",
      "failureOf",
      "isBranchName",
      "isErrorCode",
      "isSpeckitError",
      "newRunState",
    ]
  `);
});

test("the contract exports what we meant", async () => {
  expect(Object.keys(await import("../src/contract/index.ts")).sort()).toMatchInlineSnapshot(`
    [
      "EVENT_DATA",
      "EVENT_TYPES",
      "REJECTED_EVENT",
      "REQUEST_MAX_BYTES",
      "cloudEventSchema",
      "commandResultSchema",
      "diffSchema",
      "eventSchemaOf",
      "failureSchema",
      "findingSchema",
      "parseRunCommand",
      "parseRunCommandBytes",
      "parseRunRequest",
      "parseRunRequestBytes",
      "questionSchema",
      "runCommandSchema",
      "runRejectedSchema",
      "runRequestSchema",
      "runResultSchema",
      "usageSchema",
      "wakeUp",
      "wakeUpSchema",
    ]
  `);
});

test("the Node entry exports what we meant", async () => {
  expect(Object.keys(await import("../src/node/index.ts")).sort()).toMatchInlineSnapshot(`
    [
      "SETTINGS",
      "diagnose",
      "loggerFor",
      "migrateDatabase",
      "openOrchestrator",
      "readEnvironment",
      "secretsOf",
    ]
  `);
});

test("the RabbitMQ entry exports what we meant", async () => {
  expect(
    Object.keys(await import("../src/adapters/rabbitmq/index.ts")).sort(),
  ).toMatchInlineSnapshot(`
    [
      "DEAD_HEADERS",
      "ROUTING_KEYS",
      "namesOf",
      "openDeadLetters",
      "openRabbitTransport",
      "openRunRequestPublisher",
      "topologyOf",
    ]
  `);
});
