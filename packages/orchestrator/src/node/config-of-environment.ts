import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { CommitSigning } from "../adapters/git/index.ts";
import { webHostOf } from "../domain/git-hub-host.ts";
import { agentSecrets } from "./agent-secrets.ts";
import type { OrchestratorConfig } from "./config.ts";
import type { ParsedEnvironment } from "./environment-schema.ts";
import { DAY_MS } from "./setting-shapes.ts";
import { type Environment, invalid, settingValue } from "./setting-value.ts";

const MIB = 1_024 ** 2;

/** The configuration that valid settings make. @throws SpeckitError `CONFIGURATION_INVALID` for agents' secrets */
export function configOf(values: ParsedEnvironment, env: Environment): OrchestratorConfig {
  const { GITHUB_TOKEN: gitHubToken, SPECKIT_GIT_TOKEN: token, SPECKIT_GIT_HOST: host } = values;
  const gitHub =
    gitHubToken === undefined
      ? []
      : [{ host: gitHubHostOf(values), username: "x-access-token", token: gitHubToken }];
  const other =
    token === undefined || host === undefined
      ? []
      : [{ host, username: values.SPECKIT_GIT_USERNAME ?? "x-access-token", token }];
  const statsd =
    values.STATSD_HOST === undefined
      ? undefined
      : definedOnly({
          host: values.STATSD_HOST,
          port: values.STATSD_PORT,
          prefix: values.SPECKIT_STATSD_PREFIX,
          tags: values.SPECKIT_STATSD_TAGS,
        });
  return definedOnly({
    databaseUrl: values.DATABASE_URL,
    databaseDirectUrl: values.DATABASE_DIRECT_URL,
    sessionLock: values.SPECKIT_SESSION_LOCK,
    amqpUrl: values.AMQP_URL,
    amqpPrefix: values.SPECKIT_AMQP_PREFIX,
    stateDir: values.SPECKIT_HOME ?? defaultStateDir(env),
    repositories: values.SPECKIT_REPOSITORIES,
    agent:
      values.SPECKIT_AGENT ?? (values.SPECKIT_AGENT_COMMAND === undefined ? "codex" : "command"),
    codex: definedOnly({
      apiKeys: values.CODEX_API_KEY ?? values.OPENAI_API_KEY,
      executable: values.SPECKIT_CODEX_PATH,
      baseUrl: values.SPECKIT_CODEX_BASE_URL,
      headers: values.SPECKIT_CODEX_HEADERS,
      model: values.SPECKIT_CODEX_MODEL,
      models: values.SPECKIT_CODEX_MODELS,
      options: values.SPECKIT_CODEX_OPTIONS,
      hangMs: values.SPECKIT_MODEL_HANG_MS,
    }),
    providers: definedOnly({
      anthropic: upstreamOf({
        apiKeys: values.ANTHROPIC_API_KEY,
        baseUrl: values.SPECKIT_ANTHROPIC_BASE_URL,
        headers: values.SPECKIT_ANTHROPIC_HEADERS,
      }),
      gemini: upstreamOf({
        apiKeys: values.GEMINI_API_KEY,
        baseUrl: values.SPECKIT_GEMINI_BASE_URL,
        headers: values.SPECKIT_GEMINI_HEADERS,
      }),
    }),
    modelPrices: values.SPECKIT_MODEL_PRICES,
    runtime: values.SPECKIT_RUNTIME ?? "auto",
    docker: definedOnly({
      host: values.DOCKER_HOST,
      certPath: values.DOCKER_CERT_PATH,
      tlsVerify: values.DOCKER_TLS_VERIFY === undefined ? undefined : true,
      jobImage: values.SPECKIT_JOB_IMAGE,
      limits: definedOnly({
        memoryBytes: values.SPECKIT_JOB_MEMORY_BYTES,
        cpus: values.SPECKIT_JOB_CPUS,
        pids: values.SPECKIT_JOB_PIDS,
        tmpBytes: values.SPECKIT_JOB_TMP_BYTES,
        freeBytesFloor: values.SPECKIT_JOB_FREE_BYTES,
      }),
      gatewayImage: values.SPECKIT_GATEWAY_IMAGE,
      gatewayNetwork: values.SPECKIT_GATEWAY_NETWORK,
      gatewayVolume: values.SPECKIT_GATEWAY_VOLUME,
      gatewayDatabaseUrl: values.SPECKIT_GATEWAY_DATABASE_URL,
      gatewayHealthPort: values.SPECKIT_GATEWAY_HEALTH_PORT,
      gatewayHealthHost: values.SPECKIT_GATEWAY_HEALTH_HOST,
      egressAllow: values.SPECKIT_EGRESS_ALLOW,
      egressProbe: values.SPECKIT_EGRESS_PROBE,
    }),
    unsafe: values.SPECKIT_UNSAFE,
    agentCommand: values.SPECKIT_AGENT_COMMAND,
    agentSecrets: agentSecretsOf(values, env),
    specifyCommand:
      values.SPECKIT_SPECIFY_INIT === true
        ? (values.SPECKIT_SPECIFY_COMMAND ?? ["specify"])
        : undefined,
    slots: values.SPECKIT_SLOTS,
    settings: definedOnly({
      leaseMs: values.SPECKIT_LEASE_MS,
      heartbeatMs: values.SPECKIT_HEARTBEAT_MS,
      sweepMs: values.SPECKIT_SWEEP_MS,
      holdMs: values.SPECKIT_HOLD_MS,
      phaseDeadlineMs: values.SPECKIT_PHASE_DEADLINE_MS,
      runDeadlineMs: values.SPECKIT_RUN_DEADLINE_MS,
      silenceMs: values.SPECKIT_SILENCE_MS,
      answerWithinMs: values.SPECKIT_ANSWER_WITHIN_MS,
      runRetentionMs: times(DAY_MS, values.SPECKIT_RUN_RETENTION_DAYS),
      freeBytesFloor: times(MIB, values.SPECKIT_FREE_SPACE_FLOOR_MB),
      draftPullRequests: values.SPECKIT_PULL_REQUEST_DRAFT,
      pullRequestLabels: values.SPECKIT_PULL_REQUEST_LABELS,
      extensionHooks: values.SPECKIT_EXTENSION_HOOKS,
    }),
    artifactRetentionMs: values.SPECKIT_ARTIFACT_RETENTION_MS,
    workspaceMaxBytes: values.SPECKIT_WORKSPACE_MAX_BYTES,
    publish: definedOnly({
      paths: values.SPECKIT_PUBLISH_PATHS,
      workflows: values.SPECKIT_PUBLISH_WORKFLOWS,
      maxFiles: values.SPECKIT_PUBLISH_MAX_FILES,
      maxFileBytes: values.SPECKIT_PUBLISH_MAX_FILE_BYTES,
    }),
    commitName: values.SPECKIT_COMMIT_NAME,
    commitEmail: values.SPECKIT_COMMIT_EMAIL,
    commitSignoff: values.SPECKIT_COMMIT_SIGNOFF,
    commitTrailers: values.SPECKIT_COMMIT_TRAILERS,
    commitSigning: signingOf(values),
    ssh:
      values.SPECKIT_SSH_KEY_FILE === undefined && values.SPECKIT_SSH_KNOWN_HOSTS_FILE === undefined
        ? undefined
        : definedOnly({
            keyFile: values.SPECKIT_SSH_KEY_FILE,
            knownHostsFile: values.SPECKIT_SSH_KNOWN_HOSTS_FILE,
          }),
    gitCredentials: [...gitHub, ...other],
    pullRequestHost: values.SPECKIT_PULL_REQUEST_HOST,
    gitHub: definedOnly({ apiUrl: values.GITHUB_API_URL, app: gitHubAppOf(values) }),
    databaseIdleStopMs: values.SPECKIT_DATABASE_IDLE_STOP_MS,
    statsd,
    healthPort: values.SPECKIT_HEALTH_PORT,
    healthHost: values.SPECKIT_HEALTH_HOST,
    httpToken: values.SPECKIT_HTTP_TOKEN,
    logLevel: values.SPECKIT_LOG_LEVEL,
    logFormat: values.SPECKIT_LOG_FORMAT,
  });
}

/** In the unit the code uses. */
function times(unit: number, value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * unit;
}

/** A token goes to no host but that of the configured API. */
function gitHubHostOf({ GITHUB_API_URL: apiUrl }: ParsedEnvironment): string {
  return apiUrl === undefined ? "github.com" : webHostOf(apiUrl);
}

function gitHubAppOf({
  GITHUB_APP_ID: id,
  GITHUB_APP_PRIVATE_KEY: privateKey,
  GITHUB_APP_INSTALLATION_ID: installationId,
}: ParsedEnvironment) {
  return id === undefined || privateKey === undefined
    ? undefined
    : { id, privateKey, ...definedOnly({ installationId }) };
}

function signingOf({
  SPECKIT_COMMIT_SIGNING_KEY_FILE: keyFile,
  SPECKIT_COMMIT_GPG_KEY: key,
}: ParsedEnvironment): CommitSigning | undefined {
  if (keyFile !== undefined) {
    return { kind: "ssh", keyFile };
  }
  return key === undefined ? undefined : { kind: "gpg", key };
}

function agentSecretsOf(
  { SPECKIT_AGENT_SECRETS: names = [], SPECKIT_AGENT_COMMAND: command }: ParsedEnvironment,
  env: Environment,
): Readonly<Record<string, string>> | undefined {
  if (names.length === 0) {
    return undefined;
  }
  if (command === undefined) {
    throw invalid("SPECKIT_AGENT_COMMAND: expected because SPECKIT_AGENT_SECRETS is set");
  }
  return agentSecrets(names, (name) => settingValue({ name, meaning: "", secret: true }, env));
}

/** Where a provider is says nothing without a key of it. */
function upstreamOf({
  apiKeys,
  ...where
}: {
  readonly apiKeys: readonly string[] | undefined;
  readonly baseUrl: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
}) {
  return apiKeys === undefined ? undefined : { apiKeys, ...where };
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that are not set, so that a default further in is not overwritten by undefined. */
function definedOnly<T extends object, R = Defined<T>>(values: T): R {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as R;
}

function defaultStateDir(env: Environment): string {
  const base = env.XDG_STATE_HOME;
  return base !== undefined && isAbsolute(base)
    ? join(base, "speckit")
    : join(env.HOME || homedir(), ".local", "state", "speckit");
}
