import type { z } from "zod";
import { failureOf } from "../domain/speckit-error.ts";
import type { OrchestratorConfig } from "./config.ts";
import { configOf } from "./config-of-environment.ts";
import { environmentSchema, groupOf } from "./environment-schema.ts";
import { type Environment, invalid, settingValue } from "./setting-value.ts";
import { SETTINGS, type SettingFacts, type SettingName } from "./settings-table.ts";

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
