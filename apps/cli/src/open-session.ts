import { type EmbeddedDatabase, openEmbeddedDatabase } from "@speckit/embedded-database";
import {
  type ErrorCode,
  isErrorCode,
  type Logger,
  type Orchestrator,
  type RuntimeChoice,
  SpeckitError,
} from "@speckit/orchestrator";
import {
  checkContainers,
  loggerFor,
  type OrchestratorConfig,
  openOrchestrator,
  readEnvironment,
} from "@speckit/orchestrator/node";

export interface Session extends AsyncDisposable {
  readonly orchestrator: Orchestrator;
  readonly logger: Logger;
  /** No fleet is configured: this process carries its runs itself. */
  readonly isEmbedded: boolean;
  /** One line for people: database and transport. */
  readonly services: string;
  readonly stateDir: string;
}

export interface SessionOptions {
  readonly verbose?: boolean;
  readonly stateDir?: string;
  readonly unsafe?: boolean;
  /** Where this command's agents run, as its option says; default: as the environment says. */
  readonly runtime?: RuntimeChoice;
  /** The command carries runs, or may. Else no engine is asked. Default false. */
  readonly carries?: boolean;
  /** The command only reads rows: it works while the broker is away. Default false. */
  readonly reads?: boolean;
}

/**
 * Opens what a command works on: the fleet's database and broker where both are configured, else
 * the embedded database with an in-process transport.
 */
export async function openSession(options: SessionOptions = {}): Promise<Session> {
  const undo = new AsyncDisposableStack();
  try {
    const { config, services, isEmbedded } = await configOf(options, undo);
    if (isEmbedded && config.runtime === "docker") {
      await checkContainers(config);
    }
    const logger = loggerFor(config);
    const { amqpUrl, ...withoutBroker } = config;
    const { orchestrator } = undo.use(
      await openOrchestrator(options.reads === true ? withoutBroker : config, { logger }),
    );
    const opened = undo.move();
    return {
      orchestrator,
      logger,
      isEmbedded,
      services,
      stateDir: config.stateDir,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

/** A terminal's configuration: the environment's, quiet, with the embedded database where no fleet is. */
export async function configOf(
  options: SessionOptions,
  undo: AsyncDisposableStack,
): Promise<{
  readonly config: OrchestratorConfig;
  readonly services: string;
  readonly isEmbedded: boolean;
}> {
  const fromEnvironment = readEnvironment(process.env);
  const config: OrchestratorConfig = {
    ...fromEnvironment,
    stateDir: options.stateDir ?? fromEnvironment.stateDir,
    ...(options.unsafe === true ? { unsafe: true } : {}),
    runtime:
      options.carries === true ? (options.runtime ?? fromEnvironment.runtime ?? "auto") : "process",
    logLevel: fromEnvironment.logLevel ?? (options.verbose === true ? "info" : "error"),
    logFormat: fromEnvironment.logFormat ?? "text",
  };
  if (config.amqpUrl !== undefined) {
    return { config, services: "PostgreSQL and RabbitMQ of the fleet", isEmbedded: false };
  }
  const database = undo.use(await embeddedDatabase(config, options.verbose === true));
  return {
    config: { ...config, databaseUrl: database.connectionString, allowPaths: true },
    services: `embedded PostgreSQL ${database.version} · in-process transport`,
    isEmbedded: true,
  };
}

async function embeddedDatabase(
  config: OrchestratorConfig,
  verbose: boolean,
): Promise<EmbeddedDatabase> {
  const { stateDir, databaseIdleStopMs } = config;
  try {
    return await openEmbeddedDatabase({
      stateDir,
      ...(databaseIdleStopMs === undefined ? {} : { idleStopMs: databaseIdleStopMs }),
      ...(verbose ? { onNotice: (text) => void process.stderr.write(`speckit: ${text}\n`) } : {}),
    });
  } catch (error) {
    // That package stands alone and has errors of its own, under the same names.
    if (error instanceof Error && "code" in error && isErrorCode(String(error.code))) {
      const remedy = "remedy" in error ? { remedy: String(error.remedy) } : {};
      throw new SpeckitError(error.code as ErrorCode, error.message, { ...remedy, cause: error });
    }
    throw error;
  }
}
