import { isAbsolute } from "node:path";
import { z } from "zod";
import { LOG_LEVELS } from "../adapters/winston/index.ts";
import type { ModelProvider } from "../domain/model-provider.ts";
import { egressRuleLine } from "./egress-rules.ts";
import { DAY_MS, json, key, list, port, prices, url } from "./setting-shapes.ts";
import { type Environment, invalid, settingValue } from "./setting-value.ts";

const DEFAULT_SOCKET = "/run/speckit-gateway/gateway.sock";

const whole = (least: number, most: number) =>
  z
    .int({ error: "expected a whole number of milliseconds" })
    .min(least, { error: `expected at least ${least} milliseconds` })
    .max(most, { error: `expected at most ${most} milliseconds` });

const upstream = z.strictObject({
  apiKeys: z.array(key).min(1, { error: "expected a key" }).readonly(),
  baseUrl: url(["https:", "http:"]).optional(),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string(), { error: "expected headers by name" })
    .optional(),
});

const schema = z.strictObject({
  databaseUrl: url(["postgres:", "postgresql:"]),
  deploymentId: z.uuid({ error: "expected a UUID" }).optional(),
  /** None: jobs are started, and every model call is refused. */
  upstreams: z
    .strictObject({
      openai: upstream.optional(),
      anthropic: upstream.optional(),
      gemini: upstream.optional(),
    } satisfies Record<ModelProvider, z.ZodType>)
    .default({}),
  modelPrices: prices.optional(),
  hangMs: whole(1_000, DAY_MS).optional(),
  egressAllow: z.array(egressRuleLine).optional(),
  socketPath: z
    .string()
    .refine((path) => isAbsolute(path) && path.length < 100, {
      error: "expected an absolute path of less than 100 characters",
    })
    .default(DEFAULT_SOCKET),
  idleExitMs: whole(1_000, DAY_MS).optional(),
  /** Left out: nothing is sent. */
  statsd: z
    .strictObject({
      host: z.string().min(1),
      port: port.optional(),
      prefix: z.string().optional(),
      tags: z.enum(["dogstatsd", "names"]).optional(),
    })
    .optional(),
  /** Left out: health and metrics are served nowhere. 0: a free one. */
  healthPort: port.optional(),
  healthHost: z.string().min(1).default("127.0.0.1"),
  extraCaPem: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----/, { error: "expected certificates in PEM" })
    .optional(),
  proxy: z
    .strictObject({
      httpProxy: z.string().optional(),
      httpsProxy: z.string().optional(),
      noProxy: z.string().optional(),
    })
    .optional(),
  logLevel: z.enum(LOG_LEVELS, { error: `expected ${LOG_LEVELS.join(", ")}` }).optional(),
});

/** What a gateway in a process of its own works with. Everything without a default must be given. */
export interface GatewayConfig extends z.infer<typeof schema> {}
/** As whoever starts one writes it. */
export type GatewayConfigInput = z.input<typeof schema>;

/**
 * Where each field comes from in an environment, by its path; with a `_FILE` twin when it is secret.
 */
const VARIABLES: Readonly<Record<string, Variable>> = {
  databaseUrl: { name: "DATABASE_URL", secret: true },
  deploymentId: { name: "SPECKIT_DEPLOYMENT_ID" },
  "upstreams.openai.apiKeys": {
    name: "CODEX_API_KEY",
    other: "OPENAI_API_KEY",
    secret: true,
    as: "list",
  },
  "upstreams.openai.baseUrl": { name: "SPECKIT_CODEX_BASE_URL" },
  "upstreams.openai.headers": { name: "SPECKIT_CODEX_HEADERS", secret: true, as: "json" },
  "upstreams.anthropic.apiKeys": { name: "ANTHROPIC_API_KEY", secret: true, as: "list" },
  "upstreams.anthropic.baseUrl": { name: "SPECKIT_ANTHROPIC_BASE_URL" },
  "upstreams.anthropic.headers": { name: "SPECKIT_ANTHROPIC_HEADERS", secret: true, as: "json" },
  "upstreams.gemini.apiKeys": { name: "GEMINI_API_KEY", secret: true, as: "list" },
  "upstreams.gemini.baseUrl": { name: "SPECKIT_GEMINI_BASE_URL" },
  "upstreams.gemini.headers": { name: "SPECKIT_GEMINI_HEADERS", secret: true, as: "json" },
  modelPrices: { name: "SPECKIT_MODEL_PRICES", as: "json" },
  hangMs: { name: "SPECKIT_MODEL_HANG_MS", as: "number" },
  egressAllow: { name: "SPECKIT_EGRESS_ALLOW", as: "list" },
  socketPath: { name: "SPECKIT_GATEWAY_SOCKET" },
  idleExitMs: { name: "SPECKIT_GATEWAY_IDLE_EXIT_MS", as: "number" },
  "statsd.host": { name: "STATSD_HOST" },
  "statsd.port": { name: "STATSD_PORT", as: "number" },
  "statsd.prefix": { name: "SPECKIT_STATSD_PREFIX" },
  "statsd.tags": { name: "SPECKIT_STATSD_TAGS" },
  healthPort: { name: "SPECKIT_GATEWAY_HEALTH_PORT", as: "number" },
  healthHost: { name: "SPECKIT_GATEWAY_HEALTH_HOST" },
  logLevel: { name: "SPECKIT_LOG_LEVEL" },
};

interface Variable {
  readonly name: string;
  /** Looked at where the first is not set. */
  readonly other?: string;
  readonly secret?: true;
  /** How its text is read; default as it is. A list has commas. */
  readonly as?: "json" | "number" | "list";
}

/**
 * The configuration as one JSON document, or from an environment. Proxies and further certificates are
 * the environment's own business there (`HTTPS_PROXY`, `NODE_EXTRA_CA_CERTS`).
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`: names each field or variable, and never a value
 */
export function readGatewayConfig(
  from: { readonly document: string } | { readonly environment: Environment },
): GatewayConfig {
  if ("document" in from) {
    const given = parsedObject(from.document);
    return checked(given, (field) => `the gateway's configuration, ${field}`);
  }
  return checked(fieldsOf(from.environment), (field) => {
    const found = Object.entries(VARIABLES).find(
      ([path]) => field === path || field.startsWith(`${path}.`),
    );
    return found === undefined ? field : `${found[1].name}${field.slice(found[0].length)}`;
  });
}

function checked(given: unknown, nameOf: (field: string) => string): GatewayConfig {
  const parsed = schema.safeParse(given);
  if (parsed.success) {
    return parsed.data;
  }
  const lines = parsed.error.issues.map(({ path, message, code, ...issue }) => {
    const field = path.map(String).join(".") || "the document";
    const isMissing = code === "invalid_type" && issue.input === undefined && path.length === 1;
    return `${nameOf(field)}: ${isMissing && !message.startsWith("expected") ? "expected, got nothing" : message}`;
  });
  throw invalid(lines.join("; "));
}

function parsedObject(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch {
    throw invalid("the gateway's configuration: expected one JSON document on stdin");
  }
}

function fieldsOf(environment: Environment): Record<string, unknown> {
  const fields: Fields = {};
  for (const [path, variable] of Object.entries(VARIABLES)) {
    const text =
      textOf(variable, environment) ??
      (variable.other === undefined
        ? undefined
        : textOf({ ...variable, name: variable.other }, environment));
    if (text !== undefined) {
      put(fields, path.split("."), valueFrom(text, variable));
    }
  }
  return withoutKeyless(fields);
}

interface Fields {
  [field: string]: unknown;
}

function put(fields: Fields, [first = "", ...inside]: readonly string[], value: unknown): void {
  if (inside.length === 0) {
    fields[first] = value;
  } else {
    fields[first] ??= {};
    put(fields[first] as Fields, inside, value);
  }
}

/** Where a provider is says nothing without a key of it, and where numbers go nothing without a host. */
function withoutKeyless({ upstreams = {}, statsd, ...fields }: Fields): Fields {
  const used = Object.entries(upstreams as Fields).filter(
    ([, upstream]) => (upstream as Fields).apiKeys !== undefined,
  );
  return {
    ...fields,
    upstreams: Object.fromEntries(used),
    ...((statsd as Fields | undefined)?.host === undefined ? {} : { statsd }),
  };
}

function textOf({ name, secret }: Variable, environment: Environment): string | undefined {
  const facts = secret === undefined ? { name, meaning: "" } : { name, meaning: "", secret };
  return settingValue(facts, environment);
}

function valueFrom(text: string, { name, as }: Variable): unknown {
  switch (as) {
    case undefined:
      return text;
    case "number":
      return Number(text);
    case "list":
      return list.parse(text);
    case "json": {
      const parsed = json("{}").safeParse(text);
      if (!parsed.success) {
        throw invalid(`${name}: expected a JSON object`);
      }
      return parsed.data;
    }
  }
}
