import { expect, test } from "vitest";

test("the main entry exports what we meant", async () => {
  expect(Object.keys(await import("../src/index.ts")).sort()).toMatchInlineSnapshot(`
    [
      "AGENT_PHASES",
      "CHECKS",
      "DEFAULT_SETTINGS",
      "DIAGNOSIS_STATES",
      "ERROR_CODES",
      "EXIT_CODES",
      "FAILURE_CLASSES",
      "METRICS",
      "OUTCOMES",
      "Orchestrator",
      "PHASES",
      "RUNTIMES",
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
      "runNotFound",
      "runSummaryOf",
    ]
  `);
});

test("the contract exports what we meant", async () => {
  expect(Object.keys(await import("../src/contract/index.ts")).sort()).toMatchInlineSnapshot(`
    [
      "DURATION_FORM",
      "EVENT_DATA",
      "EVENT_TYPES",
      "REJECTED_EVENT",
      "REQUEST_MAX_BYTES",
      "SLO_PERCENT",
      "artifactListSchema",
      "cloudEventSchema",
      "commandResultSchema",
      "diffSchema",
      "eventPageSchema",
      "eventSchemaOf",
      "explanationSchema",
      "failureSchema",
      "findingSchema",
      "parseDuration",
      "parseRunCommand",
      "parseRunCommandBytes",
      "parseRunRequest",
      "parseRunRequestBytes",
      "questionSchema",
      "runCommandSchema",
      "runPageSchema",
      "runRejectedSchema",
      "runRequestSchema",
      "runResultSchema",
      "runSummarySchema",
      "statisticsSchema",
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
      "checkContainers",
      "diagnose",
      "gatewayLogger",
      "loggerFor",
      "migrateDatabase",
      "openGitHubAppCredentials",
      "openOrchestrator",
      "openPullRequestHost",
      "openServedGateway",
      "readAsFarAsValid",
      "readEnvironment",
      "readGatewayConfig",
      "secretsOf",
    ]
  `);
});

test("the GitHub entry exports what we meant", async () => {
  expect(
    Object.keys(await import("../src/adapters/github/index.ts")).sort(),
  ).toMatchInlineSnapshot(`
    [
      "githubAppCredentials",
      "githubPullRequestHost",
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
      "engineTopologyOf",
      "namesOf",
      "openDeadLetters",
      "openRabbitTransport",
      "openRunRequestPublisher",
      "topologyOf",
    ]
  `);
});

test("the Docker entry exports what we meant", async () => {
  expect(
    Object.keys(await import("../src/adapters/docker/index.ts")).sort(),
  ).toMatchInlineSnapshot(`
    [
      "BRIDGE_PORT",
      "DEFAULT_CONTAINER_LIMITS",
      "DEFAULT_CONTAINER_TIMES",
      "DEFAULT_DOCKER_HOST",
      "connectDocker",
      "dockerDiagnosis",
      "dockerRuntime",
      "gatewayContainer",
      "jobImageId",
      "pingEngine",
    ]
  `);
});
