import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openEmbeddedDatabase } from "@speckit/embedded-database";
import { readEnvironment } from "@speckit/orchestrator/node";
import { startPrivateBroker } from "@speckit/private-broker";
import { stopEmbeddedServer } from "./stop-embedded-server.ts";

/** Where everything of a bench happens: gone with it. */
export interface Services {
  readonly amqpUrl: string;
  /** Of the server's maintenance database, by a user who may create databases. */
  readonly serverUrl: string;
  /** Everything that is written is below this folder. */
  readonly folder: string;
  /** Takes the database away and brings it back; undefined: it is not ours to stop. */
  readonly outage: ((lastsMs: number) => Promise<void>) | undefined;
}

/**
 * The configured broker and database, or a private RabbitMQ server and an embedded PostgreSQL: both
 * bring what they confirm safely to disk.
 *
 * @param undo closes what was started here
 */
export async function openServices(undo: AsyncDisposableStack): Promise<Services> {
  const { databaseUrl, amqpUrl } = readEnvironment(process.env);
  const folder = await mkdtemp(join(await realpath(tmpdir()), "speckit-bench-"));
  undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
  if (databaseUrl !== undefined && amqpUrl !== undefined) {
    return { amqpUrl, serverUrl: databaseUrl, folder, outage: undefined };
  }
  const stateDir = join(folder, "database");
  const [broker, first] = await Promise.all([
    startPrivateBroker().then((started) => undo.use(started)),
    openEmbeddedDatabase({ stateDir }),
  ]);
  let database = first;
  // Whoever holds the database open would bring it back at once.
  const stop = async () => {
    await database[Symbol.asyncDispose]();
    await stopEmbeddedServer(stateDir);
  };
  undo.defer(stop);
  return {
    amqpUrl: broker.url,
    serverUrl: first.connectionString,
    folder,
    async outage(lastsMs) {
      const over = pause(lastsMs);
      await stop();
      await over;
      database = await openEmbeddedDatabase({ stateDir });
    },
  };
}
