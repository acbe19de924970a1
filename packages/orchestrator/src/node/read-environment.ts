import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { CODEX_OPTION_NAMES } from "../adapters/agents/codex/index.ts";
import type { CommitSigning } from "../adapters/git/index.ts";
import { LOG_LEVELS } from "../adapters/winston/index.ts";
import { webHostOf } from "../domain/git-hub-host.ts";
import { failureOf, SpeckitError } from "../domain/speckit-error.ts";
import { RUNTIMES } from "../ports/job-runtime.ts";
import { agentSecrets } from "./agent-secrets.ts";
import type { OrchestratorConfig } from "./config.ts";
import { egressRuleLine } from "./egress-rules.ts";
import { publishPattern } from "./publish-rules.ts";
import {
  argv,
  bearerToken,
  bytes,
  DAY_MS,
  headers,
  image,
  json,
  keys,
  list,
  modelName,
  ms,
  onOff,
  port,
  prices,
  sshPath,
  trailers,
  url,
  wholeNumber,
} from "./setting-shapes.ts";
import { SETTINGS, type SettingFacts, type SettingName } from "./settings-table.ts";

const environmentSchema = z
  .object({
    DATABASE_URL: url(["postgres:", "postgresql:"]).optional(),
    DATABASE_DIRECT_URL: url(["postgres:", "postgresql:"]).optional(),
    SPECKIT_SESSION_LOCK: onOff.optional(),
    AMQP_URL: url(["amqp:", "amqps:"]).optional(),
    SPECKIT_AMQP_PREFIX: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,40}$/, {
        error: "expected letters, digits, - and _, at most 41",
      })
      .optional(),
    SPECKIT_HOME: z.string().refine(isAbsolute, { error: "expected an absolute path" }).optional(),
    SPECKIT_REPOSITORIES: list.optional(),
    SPECKIT_AGENT: z
      .enum(["codex", "command", "scripted"], { error: "expected codex, command or scripted" })
      .optional(),
    CODEX_API_KEY: keys.optional(),
    OPENAI_API_KEY: keys.optional(),
    ANTHROPIC_API_KEY: keys.optional(),
    GEMINI_API_KEY: keys.optional(),
    SPECKIT_CODEX_PATH: z
      .string()
      .refine((path) => !path.includes("/") || isAbsolute(path), {
        error: "expected an absolute path, or a name without /",
      })
      .optional(),
    SPECKIT_CODEX_BASE_URL: url(["https:", "http:"]).optional(),
    SPECKIT_CODEX_HEADERS: headers('{"OpenAI-Organization":"org-1"}').optional(),
    SPECKIT_ANTHROPIC_BASE_URL: url(["https:", "http:"]).optional(),
    SPECKIT_ANTHROPIC_HEADERS: headers('{"anthropic-beta":"name-of-a-beta"}').optional(),
    SPECKIT_GEMINI_BASE_URL: url(["https:", "http:"]).optional(),
    SPECKIT_GEMINI_HEADERS: headers('{"x-goog-user-project":"project-1"}').optional(),
    SPECKIT_CODEX_MODEL: modelName.optional(),
    SPECKIT_CODEX_MODELS: list.pipe(z.array(modelName)).optional(),
    SPECKIT_CODEX_OPTIONS: list
      .transform((names) => names.filter((name) => name !== "none"))
      .pipe(
        z.array(
          z.enum(CODEX_OPTION_NAMES, {
            error: `expected ${CODEX_OPTION_NAMES.join(", ")}, or none`,
          }),
        ),
      )
      .optional(),
    SPECKIT_MODEL_PRICES: json('{"gpt-5.5":{"inputUsdPerMTok":1.25, …}}').pipe(prices).optional(),
    SPECKIT_MODEL_HANG_MS: ms(1_000, DAY_MS).optional(),
    SPECKIT_UNSAFE: onOff.optional(),
    SPECKIT_AGENT_COMMAND: argv.optional(),
    SPECKIT_AGENT_SECRETS: list.optional(),
    SPECKIT_EXTENSION_HOOKS: onOff.optional(),
    SPECKIT_SPECIFY_INIT: onOff.optional(),
    SPECKIT_SPECIFY_COMMAND: argv.optional(),
    SPECKIT_RUNTIME: z.enum(RUNTIMES, { error: `expected ${RUNTIMES.join(", ")}` }).optional(),
    DOCKER_HOST: z.string().optional(),
    DOCKER_CERT_PATH: z
      .string()
      .refine(isAbsolute, { error: "expected an absolute path" })
      .optional(),
    DOCKER_TLS_VERIFY: z.string().optional(),
    SPECKIT_JOB_IMAGE: image.optional(),
    SPECKIT_JOB_MEMORY_BYTES: bytes(64 * 1024 * 1024).optional(),
    SPECKIT_JOB_CPUS: z.coerce
      .number({ error: "expected a number of processors" })
      .min(0.1, { error: "expected at least 0.1 processors" })
      .optional(),
    SPECKIT_JOB_PIDS: z.coerce
      .number({ error: "expected a number of processes" })
      .int()
      .min(16, { error: "expected at least 16 processes" })
      .optional(),
    SPECKIT_JOB_TMP_BYTES: bytes(1024 * 1024).optional(),
    SPECKIT_JOB_FREE_BYTES: bytes(0).optional(),
    SPECKIT_GATEWAY_IMAGE: image.optional(),
    SPECKIT_GATEWAY_NETWORK: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error: "expected the name of a Docker network" })
      .optional(),
    SPECKIT_GATEWAY_VOLUME: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]+$/, { error: "expected the name of a Docker volume" })
      .optional(),
    SPECKIT_GATEWAY_DATABASE_URL: url(["postgres:", "postgresql:"]).optional(),
    SPECKIT_GATEWAY_HEALTH_PORT: port.optional(),
    SPECKIT_GATEWAY_HEALTH_HOST: z.string().min(1).optional(),
    SPECKIT_EGRESS_ALLOW: list.pipe(z.array(egressRuleLine)).optional(),
    SPECKIT_EGRESS_PROBE: list
      .pipe(
        z.array(
          z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, {
            error: "expected host:port or [IPv6]:port",
          }),
        ),
      )
      .optional(),
    SPECKIT_SLOTS: z.coerce
      .number({ error: "expected a whole number" })
      .int()
      .min(1)
      .max(1_000)
      .optional(),
    SPECKIT_LEASE_MS: ms(6_000, 600_000).optional(),
    SPECKIT_HEARTBEAT_MS: ms(100, 200_000).optional(),
    SPECKIT_SWEEP_MS: ms(100, 600_000).optional(),
    SPECKIT_HOLD_MS: ms(1_000, DAY_MS).optional(),
    SPECKIT_PHASE_DEADLINE_MS: ms(1_000, DAY_MS).optional(),
    SPECKIT_RUN_DEADLINE_MS: ms(1_000, DAY_MS).optional(),
    SPECKIT_SILENCE_MS: ms(1_000, DAY_MS).optional(),
    SPECKIT_ANSWER_WITHIN_MS: ms(1_000, 400 * DAY_MS).optional(),
    SPECKIT_ARTIFACT_RETENTION_MS: ms(7 * DAY_MS, 10_000 * DAY_MS).optional(),
    SPECKIT_RUN_RETENTION_DAYS: wholeNumber("days", 7, 10_000).optional(),
    SPECKIT_FREE_SPACE_FLOOR_MB: wholeNumber("MiB", 0, 1_000_000_000).optional(),
    SPECKIT_WORKSPACE_MAX_BYTES: z.coerce
      .number({ error: "expected a number of bytes" })
      .int()
      .min(1)
      .optional(),
    SPECKIT_COMMIT_NAME: z
      .string()
      .regex(/^[^<>\n\0]{1,100}$/, { error: "expected a name without < and >" })
      .optional(),
    SPECKIT_COMMIT_EMAIL: z
      .string()
      .regex(/^[^<>\s\0]{1,200}$/, { error: "expected an address without < and >" })
      .optional(),
    SPECKIT_PUBLISH_PATHS: list.pipe(z.array(publishPattern)).optional(),
    SPECKIT_PUBLISH_WORKFLOWS: onOff.optional(),
    SPECKIT_PUBLISH_MAX_FILES: z.coerce
      .number({ error: "expected a number of files" })
      .int({ error: "expected a whole number of files" })
      .min(1, { error: "expected at least 1 file" })
      .optional(),
    SPECKIT_PUBLISH_MAX_FILE_BYTES: bytes(1).optional(),
    SPECKIT_COMMIT_SIGNOFF: onOff.optional(),
    SPECKIT_COMMIT_TRAILERS: trailers.optional(),
    SPECKIT_COMMIT_SIGNING_KEY_FILE: sshPath.optional(),
    SPECKIT_COMMIT_GPG_KEY: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9@._+!-]{0,199}$/, { error: "expected a key's fingerprint" })
      .optional(),
    SPECKIT_SSH_KEY_FILE: sshPath.optional(),
    SPECKIT_SSH_KNOWN_HOSTS_FILE: sshPath.optional(),
    GITHUB_TOKEN: z.string().optional(),
    SPECKIT_PULL_REQUEST_DRAFT: onOff.optional(),
    SPECKIT_PULL_REQUEST_LABELS: list
      .transform((names) => names.filter((name) => name !== "none"))
      .pipe(z.array(z.string().max(50, { error: "expected labels of at most 50 characters" })))
      .optional(),
    SPECKIT_PULL_REQUEST_HOST: z
      .enum(["github", "none"], { error: "expected github or none" })
      .optional(),
    GITHUB_API_URL: url(["https:", "http:"]).optional(),
    GITHUB_APP_ID: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,100}$/, { error: "expected the App's id or client id" })
      .optional(),
    GITHUB_APP_PRIVATE_KEY: z
      .string()
      .regex(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, { error: "expected a private key in PEM" })
      .optional(),
    GITHUB_APP_INSTALLATION_ID: z.coerce
      .number({ error: "expected a whole number" })
      .int({ error: "expected a whole number" })
      .min(1, { error: "expected a number from 1" })
      .optional(),
    SPECKIT_GIT_TOKEN: z.string().optional(),
    SPECKIT_GIT_HOST: z
      .string()
      .regex(/^[A-Za-z0-9.-]+(:\d+)?$/, { error: "expected host or host:port" })
      .optional(),
    SPECKIT_GIT_USERNAME: z
      .string()
      .regex(/^[^:\s]+$/, { error: "expected a name without ':'" })
      .optional(),
    SPECKIT_DATABASE_IDLE_STOP_MS: ms(0, DAY_MS).optional(),
    STATSD_HOST: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,253}$/, { error: "expected a host name or an IPv4 address" })
      .optional(),
    STATSD_PORT: port.min(1, { error: "expected a port number from 1" }).optional(),
    SPECKIT_STATSD_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, {
        error: "expected letters, digits, - and _, in parts separated by dots",
      })
      .max(100, { error: "expected at most 100 characters" })
      .optional(),
    SPECKIT_STATSD_TAGS: z
      .enum(["dogstatsd", "names"], { error: "expected dogstatsd or names" })
      .optional(),
    SPECKIT_HEALTH_PORT: port.optional(),
    SPECKIT_HEALTH_HOST: z.string().min(1).optional(),
    SPECKIT_HTTP_TOKEN: bearerToken.optional(),
    SPECKIT_LOG_LEVEL: z
      .enum(LOG_LEVELS, { error: `expected ${LOG_LEVELS.join(", ")}` })
      .optional(),
    SPECKIT_LOG_FORMAT: z.enum(["json", "text"], { error: "expected json or text" }).optional(),
  } satisfies Record<SettingName, z.ZodType>)
  .refine((env) => (env.SPECKIT_GIT_TOKEN === undefined) === (env.SPECKIT_GIT_HOST === undefined), {
    path: ["SPECKIT_GIT_HOST"],
    error: "expected together with SPECKIT_GIT_TOKEN: a token goes to no host but its own",
  })
  .refine(
    (env) => (env.GITHUB_APP_ID === undefined) === (env.GITHUB_APP_PRIVATE_KEY === undefined),
    {
      path: ["GITHUB_APP_PRIVATE_KEY"],
      error: "expected together with GITHUB_APP_ID",
    },
  )
  .refine((env) => env.GITHUB_APP_ID === undefined || env.GITHUB_TOKEN === undefined, {
    path: ["GITHUB_TOKEN"],
    error: "expected either it or GITHUB_APP_ID",
  })
  .refine(
    (env) =>
      env.SPECKIT_COMMIT_SIGNING_KEY_FILE === undefined || env.SPECKIT_COMMIT_GPG_KEY === undefined,
    {
      path: ["SPECKIT_COMMIT_GPG_KEY"],
      error: "expected either it or SPECKIT_COMMIT_SIGNING_KEY_FILE",
    },
  )
  .refine((env) => env.SPECKIT_AGENT !== "command" || env.SPECKIT_AGENT_COMMAND !== undefined, {
    path: ["SPECKIT_AGENT_COMMAND"],
    error: "expected because SPECKIT_AGENT is command",
  })
  .refine(
    (env) =>
      (env.SPECKIT_ARTIFACT_RETENTION_MS ?? 7 * DAY_MS) <=
      (env.SPECKIT_RUN_RETENTION_DAYS ?? 400) * DAY_MS,
    {
      path: ["SPECKIT_RUN_RETENTION_DAYS"],
      error: "expected no less than SPECKIT_ARTIFACT_RETENTION_MS, which is kept by the rows",
    },
  )
  .refine((env) => (env.SPECKIT_HEARTBEAT_MS ?? 10_000) * 3 <= (env.SPECKIT_LEASE_MS ?? 30_000), {
    path: ["SPECKIT_HEARTBEAT_MS"],
    error: "expected at most a third of SPECKIT_LEASE_MS",
  });

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a configuration is as far as it can be read, and what is wrong with the rest. */
export interface ReadEnvironment {
  readonly config: OrchestratorConfig;
  /** One line for each thing that is wrong; names the variable, never a secret. */
  readonly problems: readonly string[];
  /** Variables that were set and are not in `config`. */
  readonly leftOut: readonly SettingName[];
}

/**
 * Reads the configuration from environment variables; an empty one counts as not set. Every
 * variable is in {@link SETTINGS}.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`: names each variable and what was expected, and what
 * came unless it is a secret
 */
export function readEnvironment(env: Environment): OrchestratorConfig {
  const { config, problems } = readAsFarAsValid(env);
  if (problems.length > 0) {
    throw invalid(problems.join("; "));
  }
  return config;
}

/** The same for whoever looks at what is wrong: throws nothing, and leaves out what cannot be used. */
export function readAsFarAsValid(env: Environment): ReadEnvironment {
  const problems: string[] = [];
  const leftOut = new Set<SettingName>();
  const given: Partial<Record<SettingName, string>> = {};
  for (const setting of SETTINGS) {
    try {
      const value = settingValue(setting, env);
      if (value !== undefined) {
        given[setting.name] = value;
      }
    } catch (error) {
      problems.push(failureOf(error).message);
      leftOut.add(setting.name);
    }
  }
  let parsed = environmentSchema.safeParse(given);
  // Rules about two of them are looked at when each is right by itself: that makes two rounds.
  for (let round = 1; !parsed.success && round <= 2; round += 1) {
    const { issues } = parsed.error;
    problems.push(...issues.map((issue) => describe(issue, given)));
    for (const name of issues.flatMap(({ path }) => groupOf(path[0] as SettingName))) {
      if (name in given) {
        leftOut.add(name);
        delete given[name];
      }
    }
    parsed = environmentSchema.safeParse(given);
  }
  const { AMQP_URL: amqpUrl, DATABASE_URL: databaseUrl } = given;
  if (
    (databaseUrl === undefined) !== (amqpUrl === undefined) &&
    !leftOut.has("AMQP_URL") &&
    !leftOut.has("DATABASE_URL")
  ) {
    const [set, missing] =
      amqpUrl === undefined ? ["DATABASE_URL", "AMQP_URL"] : ["AMQP_URL", "DATABASE_URL"];
    problems.push(
      `${missing}: expected because ${set} is set; a fleet needs both, the embedded mode neither`,
    );
  }
  const values = parsed.data ?? {};
  try {
    return { config: configOf(values, env), problems, leftOut: [...leftOut] };
  } catch (error) {
    problems.push(failureOf(error).message);
    const config = configOf({ ...values, SPECKIT_AGENT_SECRETS: undefined }, env);
    return { config, problems, leftOut: [...leftOut, "SPECKIT_AGENT_SECRETS"] };
  }
}

/** Settings that a rule of the schema names together: without one of them the others mean something else. */
const GROUPS: readonly (readonly SettingName[])[] = [
  ["SPECKIT_GIT_TOKEN", "SPECKIT_GIT_HOST"],
  ["GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_TOKEN"],
  ["SPECKIT_COMMIT_SIGNING_KEY_FILE", "SPECKIT_COMMIT_GPG_KEY"],
  ["SPECKIT_AGENT", "SPECKIT_AGENT_COMMAND", "SPECKIT_AGENT_SECRETS"],
  ["SPECKIT_HEARTBEAT_MS", "SPECKIT_LEASE_MS"],
];

function groupOf(name: SettingName): readonly SettingName[] {
  return GROUPS.find((group) => group.includes(name)) ?? [name];
}

const MIB = 1_024 ** 2;

type ParsedEnvironment = z.infer<typeof environmentSchema>;

function configOf(values: ParsedEnvironment, env: Environment): OrchestratorConfig {
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

export function settingValue(setting: SettingFacts, env: Environment): string | undefined {
  const direct = env[setting.name] || undefined;
  const file = (setting.secret && env[`${setting.name}_FILE`]) || undefined;
  if (file === undefined) {
    return direct;
  }
  if (direct !== undefined) {
    throw invalid(`${setting.name}: expected either it or ${setting.name}_FILE, got both`);
  }
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch (cause) {
    throw invalid(`${setting.name}_FILE: expected a readable file, got ${file}`, cause);
  }
}

function describe(issue: z.core.$ZodIssue, given: Readonly<Record<string, string>>): string {
  const name = String(issue.path[0] ?? "environment");
  const facts: SettingFacts | undefined = SETTINGS.find((setting) => setting.name === name);
  const value = given[name];
  const came =
    value === undefined
      ? "nothing"
      : facts?.secret
        ? "a secret of another form"
        : JSON.stringify(value.slice(0, 100));
  return `${name}: ${issue.message}, got ${came}`;
}

export function invalid(message: string, cause?: unknown): SpeckitError {
  return new SpeckitError("CONFIGURATION_INVALID", message, cause === undefined ? {} : { cause });
}
