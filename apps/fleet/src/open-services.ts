import { openEmbeddedDatabase } from "@speckit/embedded-database";
import { readEnvironment } from "@speckit/orchestrator/node";
import { startPrivateBroker } from "@speckit/private-broker";

export interface Services {
  readonly databaseUrl: string;
  readonly amqpUrl: string;
  /** One line for people. */
  readonly description: string;
}

/**
 * The configured broker and database, or a private RabbitMQ server and the embedded PostgreSQL.
 *
 * @param undo closes what was started here
 */
export async function openServices(
  stateDir: string,
  undo: AsyncDisposableStack,
): Promise<Services> {
  const { databaseUrl, amqpUrl } = readEnvironment(process.env);
  if (databaseUrl !== undefined && amqpUrl !== undefined) {
    return { databaseUrl, amqpUrl, description: "RabbitMQ and PostgreSQL as configured" };
  }
  const [broker, database] = await Promise.all([
    startPrivateBroker().then((started) => undo.use(started)),
    openEmbeddedDatabase({ stateDir }).then((opened) => undo.use(opened)),
  ]);
  return {
    databaseUrl: database.connectionString,
    amqpUrl: broker.url,
    description: `private RabbitMQ · embedded PostgreSQL ${database.version}`,
  };
}
