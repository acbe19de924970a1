import { isAbsolute } from "node:path";
import { z } from "zod";
import { CODEX_OPTION_NAMES } from "../adapters/agents/codex/index.ts";
import { LOG_LEVELS } from "../adapters/winston/index.ts";
import { RUNTIMES } from "../ports/job-runtime.ts";
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
import type { SettingName } from "./settings-table.ts";

/** What each setting may hold, and what they must be together. */
export const environmentSchema = z
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

export type ParsedEnvironment = z.infer<typeof environmentSchema>;

/** Settings that a rule of the schema names together: without one of them the others mean something else. */
const GROUPS: readonly (readonly SettingName[])[] = [
  ["SPECKIT_GIT_TOKEN", "SPECKIT_GIT_HOST"],
  ["GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_TOKEN"],
  ["SPECKIT_COMMIT_SIGNING_KEY_FILE", "SPECKIT_COMMIT_GPG_KEY"],
  ["SPECKIT_AGENT", "SPECKIT_AGENT_COMMAND", "SPECKIT_AGENT_SECRETS"],
  ["SPECKIT_ARTIFACT_RETENTION_MS", "SPECKIT_RUN_RETENTION_DAYS"],
  ["SPECKIT_HEARTBEAT_MS", "SPECKIT_LEASE_MS"],
];

/** The setting, and those that a rule names with it. */
export function groupOf(name: SettingName): readonly SettingName[] {
  return GROUPS.find((group) => group.includes(name)) ?? [name];
}
