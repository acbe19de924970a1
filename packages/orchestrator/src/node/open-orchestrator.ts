import { join } from "node:path";
import { fileArtifactStore } from "../adapters/artifacts/index.ts";
import { gitWorkspace, hiddenCredentials } from "../adapters/git/index.ts";
import { migrateDatabase, postgresRunRepository } from "../adapters/postgres/index.ts";
import { secretlintScanner } from "../adapters/secretlint/index.ts";
import { freeSpaceOf, systemClock, systemIdentity } from "../adapters/system/index.ts";
import { winstonLogger } from "../adapters/winston/index.ts";
import type { Dependencies } from "../application/dependencies.ts";
import { Orchestrator } from "../application/orchestrator.ts";
import { DEFAULT_SETTINGS } from "../application/settings.ts";
import { isRepositoryAllowed } from "../domain/repository-address.ts";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { ReachFailpoint } from "../ports/failpoints.ts";
import type { GitCredentialSource } from "../ports/git-credentials.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Transport } from "../ports/transport.ts";
import { agentBackends } from "./agent-backends.ts";
import { allowsFile, commitsOf } from "./commits-of.ts";
import { type OrchestratorConfig, secretsOf } from "./config.ts";
import { connectionsOf } from "./connections-of.ts";
import { openGitCredentials } from "./open-git-credentials.ts";
import { openPullRequestHost } from "./open-pull-request-host.ts";
import { openRuntime } from "./open-runtime.ts";
import { publishRules } from "./publish-rules.ts";
import { CODEX_CREDENTIAL } from "./upstreams.ts";

const WEEK_MS = 7 * 86_400_000;

/** An orchestrator and everything it has opened; disposing it closes all of that, newest first. */
export interface OpenOrchestrator extends AsyncDisposable {
  readonly orchestrator: Orchestrator;
  readonly logger: Logger;
}

export interface OpenOptions {
  /** Default: JSON lines on stderr. */
  readonly logger?: Logger;
  /** Default: StatsD where the configuration names it, else nothing is counted. */
  readonly metrics?: Metrics;
  /** Told before each service is connected to, for whoever shows what is waited for. */
  readonly onConnecting?: (service: "PostgreSQL" | "RabbitMQ") => void;
  /**
   * Where git's credentials come from. Default the configuration's `gitCredentials`. What it makes is
   * hidden from the log when the logger can do that.
   */
  readonly gitCredentials?: GitCredentialSource;
  /** For tests that end or hold up a worker where it hurts. */
  readonly reach?: ReachFailpoint;
  /**
   * The last word on what the use cases work with: ports of your own, instead of this package's or
   * around them. What is replaced is still opened, and closed at the end.
   */
  readonly compose?: (dependencies: Dependencies) => Dependencies;
}

/**
 * Opens an orchestrator with this package's adapters: PostgreSQL (migrated to the newest schema),
 * RabbitMQ or an in-process transport, containers or processes, git and files. Waits for the broker,
 * but not for the database.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`, `DATABASE_UNAVAILABLE`, `SERVICE_REFUSED`
 */
export async function openOrchestrator(
  config: OrchestratorConfig,
  options: OpenOptions = {},
): Promise<OpenOrchestrator> {
  const { logger = loggerFor(config), onConnecting, reach, compose = (deps) => deps } = options;
  const { databaseUrl } = config;
  if (databaseUrl === undefined) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      "DATABASE_URL: expected a PostgreSQL URL, got nothing",
    );
  }
  const settings = { ...DEFAULT_SETTINGS, ...config.settings };
  const artifactRetentionMs = Math.max(config.artifactRetentionMs ?? WEEK_MS, WEEK_MS);
  const undo = new AsyncDisposableStack();
  try {
    onConnecting?.("PostgreSQL");
    const { applied } = await migrateDatabase(databaseUrl);
    if (applied.length > 0) {
      logger.info("database migrated", { applied });
    }
    const metrics = options.metrics ?? undo.use(await openMetrics(config, logger));
    const runs = undo.use(
      postgresRunRepository({
        connectionString: databaseUrl,
        directConnectionString: config.databaseDirectUrl,
        sessionLock: config.sessionLock,
        maxConnections: connectionsOf(config).pool,
        logger,
        artifactRetentionMs,
      }),
    );
    const deploymentId = await runs.deploymentId();
    if (config.amqpUrl !== undefined) {
      onConnecting?.("RabbitMQ");
    }
    const transport = undo.use(
      await openTransport(config, { deploymentId, logger, metrics, reach }),
    );
    const { credentials, modelCalls, egress } = runs;
    const opened = undo.use(
      await openRuntime(config, { credentials, modelCalls, egress, deploymentId, logger, metrics }),
    );
    const { kind, runtime, gateway } = opened;
    const backends = agentBackends(config, kind);
    const gitCredentials =
      options.gitCredentials === undefined
        ? undo.use(await openGitCredentials(config, logger))
        : hiddenCredentials(options.gitCredentials, logger);
    const pullRequests = await openPullRequestHost(config, { credentials: gitCredentials, logger });
    if (pullRequests !== undefined) {
      undo.use(pullRequests);
    }
    const deps: Dependencies = {
      runs,
      statistics: runs.statistics,
      surroundings: runs.surroundings,
      credentials: runs.credentials,
      transport,
      backends: new Map(backends.map((backend) => [backend.name, backend])),
      gateways: new Map(gateway === undefined ? [] : [[CODEX_CREDENTIAL, gateway]]),
      egress: opened.egress,
      defaultBackend: config.agent,
      git: gitWorkspace({
        stateDir: config.stateDir,
        ...commitsOf(config),
        ...(config.ssh === undefined ? {} : { ssh: config.ssh }),
        credentials: gitCredentials,
        allowFile: allowsFile(config),
        ...(config.workspaceMaxBytes === undefined
          ? {}
          : { limits: { workspaceMaxBytes: config.workspaceMaxBytes } }),
        logger,
      }),
      pullRequests,
      runtime,
      artifacts: fileArtifactStore({ folder: join(config.stateDir, "artifacts") }),
      freeSpace: freeSpaceOf(config.stateDir),
      isAllowed: (address) =>
        config.repositories === undefined && config.allowPaths === true
          ? true
          : isRepositoryAllowed(address, config.repositories),
      clock: systemClock,
      identity: systemIdentity,
      logger,
      metrics,
      // The rows say what there is to delete: no shorter than the artifacts.
      settings: {
        ...settings,
        runRetentionMs: Math.max(settings.runRetentionMs, artifactRetentionMs),
      },
      specifyInit: specifyInitOf(config),
      publish: publishRules(config.publish ?? {}),
      secrets: secretlintScanner(),
      reach,
    };
    const orchestrator = new Orchestrator(compose(deps));
    const owned = undo.move();
    return { orchestrator, logger, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

export function loggerFor(config: OrchestratorConfig): Logger {
  return winstonLogger({
    level: config.logLevel ?? "info",
    format: config.logFormat ?? (process.stderr.isTTY ? "text" : "json"),
    secrets: secretsOf(config),
  });
}

/** Files for Codex and `sh`, whatever agents the machine has; nothing is asked. */
function specifyInitOf({
  specifyCommand,
}: OrchestratorConfig): readonly [string, ...string[]] | undefined {
  return specifyCommand === undefined
    ? undefined
    : [
        ...specifyCommand,
        ...["init", "--here", "--force", "--integration", "codex", "--script", "sh"],
        ...["--ignore-agent-tools", "--non-interactive"],
      ];
}

/** Its library is loaded only where it is used. */
async function openMetrics(
  { statsd }: OrchestratorConfig,
  logger: Logger,
): Promise<(Metrics & AsyncDisposable) | undefined> {
  if (statsd === undefined) {
    return undefined;
  }
  const { statsdMetrics } = await import("../adapters/statsd/index.ts");
  return statsdMetrics({ ...statsd, logger });
}

/** The broker's library is loaded only where there is a broker. */
async function openTransport(
  config: OrchestratorConfig,
  common: {
    readonly deploymentId: string;
    readonly logger: Logger;
    readonly metrics: Metrics | undefined;
    readonly reach: ReachFailpoint | undefined;
  },
): Promise<Transport> {
  if (config.amqpUrl === undefined) {
    const { openInProcessTransport } = await import("../adapters/in-process/index.ts");
    return openInProcessTransport({ logger: common.logger });
  }
  const { openRabbitTransport } = await import("../adapters/rabbitmq/index.ts");
  return openRabbitTransport({
    url: config.amqpUrl,
    ...common,
    ...(config.amqpPrefix === undefined ? {} : { prefix: config.amqpPrefix }),
  });
}
