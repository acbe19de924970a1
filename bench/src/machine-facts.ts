import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import amqp from "amqplib";
import { statement } from "./bench-database.ts";
import { megabytes } from "./format.ts";
import type { Services } from "./services.ts";

/** What must stand beside a number for it to mean something. */
export async function machineFacts(services: Services): Promise<Readonly<Record<string, string>>> {
  const [server] = await statement<Record<"version" | "fsync" | "commit", string>>(
    services.serverUrl,
    `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
      current_setting('synchronous_commit') AS commit`,
  );
  return {
    cores: `${availableParallelism()} (${cpus()[0]?.model.trim() ?? "unknown"})`,
    memory: megabytes(totalmem()),
    system: `${type()} ${release()}`,
    node: process.version,
    PostgreSQL: `${server?.version}, fsync ${server?.fsync}, synchronous_commit ${server?.commit}`,
    RabbitMQ: await brokerVersion(services.amqpUrl),
    "load average": loadavg()
      .map((load) => load.toFixed(1))
      .join(" "),
  };
}

async function brokerVersion(url: string): Promise<string> {
  const connection = await amqp.connect(url, { noDelay: true });
  const { version } = connection.connection.serverProperties;
  await connection.close();
  return `${version}, quorum queues, publisher confirms`;
}
