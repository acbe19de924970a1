import { diagnoseEnvironment, diagnoseStateFolder, systemClock } from "../adapters/system/index.ts";
import { DEFAULT_SETTINGS } from "../application/settings.ts";
import type { Clock } from "../ports/clock.ts";
import { type Diagnosis, fine, problem } from "../ports/diagnosis.ts";
import type { OrchestratorConfig } from "./config.ts";
import { diagnoseAgents } from "./diagnosis/diagnose-agents.ts";
import { diagnoseBroker } from "./diagnosis/diagnose-broker.ts";
import { diagnoseDatabase, type EmbeddedState } from "./diagnosis/diagnose-database.ts";
import { diagnoseRepositories } from "./diagnosis/diagnose-repositories.ts";
import { lookWithin } from "./diagnosis/look-within.ts";
import type { ReadEnvironment } from "./read-environment.ts";
import type { Environment } from "./setting-value.ts";

export interface DiagnoseOptions {
  /** What is wrong with the configuration itself, and not in it. Default nothing. */
  readonly read?: Pick<ReadEnvironment, "problems" | "leftOut">;
  /** Variables of this machine: PATH, proxies, certificate authorities. Default `process.env`. */
  readonly environment?: Environment;
  /** Where no fleet is configured: the embedded database. */
  readonly embedded?: EmbeddedState;
  /** Repositories that are tried, besides those that the allow-list names in full. Default none. */
  readonly repositories?: readonly string[];
  /** What the database's clock is compared with. Default the system's. */
  readonly clock?: Pick<Clock, "now" | "monotonicMs">;
}

/**
 * Looks at a whole deployment from where it is called: configuration, state folder, database, workers,
 * broker, engine, gateway, agents, git and its hosts. Changes nothing: makes no table, queue, branch or
 * pull request, pulls no image, calls no model.
 *
 * Never rejects: what cannot be looked at says so.
 */
export async function diagnose(
  config: OrchestratorConfig,
  options: DiagnoseOptions = {},
): Promise<readonly Diagnosis[]> {
  const { environment = process.env, embedded, clock = systemClock, repositories = [] } = options;
  const { problems, leftOut } = options.read ?? { problems: [], leftOut: [] };
  const database = diagnoseDatabase(config, {
    embedded,
    clock,
    isLeftOut: leftOut.includes("DATABASE_URL"),
  });
  const groups = await Promise.all([
    settingsFound(problems),
    lookWithin("configuration.certificates", () => diagnoseEnvironment(environment)),
    lookWithin("state.folder", () => {
      const { freeBytesFloor = DEFAULT_SETTINGS.freeBytesFloor } = config.settings ?? {};
      return diagnoseStateFolder(config.stateDir, freeBytesFloor);
    }),
    database.then(({ found }) => found),
    diagnoseBroker(config, { isLeftOut: leftOut.includes("AMQP_URL") }),
    diagnoseAgents(config, {
      deploymentId: database.then(({ deploymentId }) => deploymentId),
      isLeftOut: leftOut.includes("SPECKIT_AGENT") || leftOut.includes("SPECKIT_AGENT_COMMAND"),
    }),
    diagnoseRepositories(config, { asked: repositories, environment }),
  ]);
  return groups.flat();
}

function settingsFound(problems: readonly string[]): readonly Diagnosis[] {
  return problems.length === 0
    ? [fine("configuration.settings", "every variable holds what is expected")]
    : problems.map((found) => problem("configuration.settings", found));
}
