import { isAbsolute } from "node:path";
import { z } from "zod";
import { LOG_LEVELS } from "../adapters/winston/index.ts";
import {
  type Environment,
  invalid,
  json,
  key,
  prices,
  settingValue,
  url,
} from "./read-environment.ts";

const DAY_MS = 86_400_000;
const DEFAULT_SOCKET = "/run/speckit-gateway/gateway.sock";

const whole = (least: number, most: number) =>
  z
    .int({ error: "expected a whole number of milliseconds" })
    .min(least, { error: `expected at least ${least} milliseconds` })
    .max(most, { error: `expected at most ${most} milliseconds` });

const schema = z.strictObject({
  databaseUrl: url(["postgres:", "postgresql:"]),
  deploymentId: z.uuid({ error: "expected a UUID" }).optional(),
  /** Left out: jobs are started, and every model call is refused. */
  apiKey: key.optional(),
  baseUrl: url(["https:", "http:"]).optional(),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string(), { error: "expected headers by name" })
    .optional(),
  modelPrices: prices.optional(),
  hangMs: whole(1_000, DAY_MS).optional(),
  socketPath: z
    .string()
    .refine((path) => isAbsolute(path) && path.length < 100, {
      error: "expected an absolute path of less than 100 characters",
    })
    .default(DEFAULT_SOCKET),
  idleExitMs: whole(1_000, DAY_MS).optional(),
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

/** Where each field comes from in an environment; with a `_FILE` twin when it is secret. */
const VARIABLES = {
  databaseUrl: { name: "DATABASE_URL", secret: true },
  deploymentId: { name: "SPECKIT_DEPLOYMENT_ID" },
  apiKey: { name: "CODEX_API_KEY", other: "OPENAI_API_KEY", secret: true },
  baseUrl: { name: "SPECKIT_CODEX_BASE_URL" },
  headers: { name: "SPECKIT_CODEX_HEADERS", secret: true, isJson: true },
  modelPrices: { name: "SPECKIT_MODEL_PRICES", isJson: true },
  hangMs: { name: "SPECKIT_MODEL_HANG_MS", isNumber: true },
  socketPath: { name: "SPECKIT_GATEWAY_SOCKET" },
  idleExitMs: { name: "SPECKIT_GATEWAY_IDLE_EXIT_MS", isNumber: true },
  logLevel: { name: "SPECKIT_LOG_LEVEL" },
} as const satisfies Partial<Record<keyof GatewayConfig, Variable>>;

interface Variable {
  readonly name: string;
  /** Looked at where the first is not set. */
  readonly other?: string;
  readonly secret?: true;
  readonly isJson?: true;
  readonly isNumber?: true;
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
    const [first = "", ...inside] = field.split(".");
    const variable: Variable | undefined = VARIABLES[first as keyof typeof VARIABLES];
    return [variable?.name ?? first, ...inside].join(".");
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
  const fields: Record<string, unknown> = {};
  for (const [field, variable] of Object.entries<Variable>(VARIABLES)) {
    const text =
      textOf(variable, environment) ??
      (variable.other === undefined
        ? undefined
        : textOf({ ...variable, name: variable.other }, environment));
    if (text !== undefined) {
      fields[field] = valueFrom(text, variable);
    }
  }
  return fields;
}

function textOf({ name, secret }: Variable, environment: Environment): string | undefined {
  const facts = secret === undefined ? { name, meaning: "" } : { name, meaning: "", secret };
  return settingValue(facts, environment);
}

function valueFrom(text: string, { name, isJson, isNumber }: Variable): unknown {
  if (isNumber === true) {
    return Number(text);
  }
  if (isJson !== true) {
    return text;
  }
  const parsed = json("{}").safeParse(text);
  if (!parsed.success) {
    throw invalid(`${name}: expected a JSON object`);
  }
  return parsed.data;
}
