import { mkdir } from "node:fs/promises";
import { join } from "node:path";

export interface BrokerPorts {
  readonly amqp: number;
  readonly distribution: number;
  readonly epmd: number;
}

/** Where everything is that the broker knows: queues, messages, users. */
export function dataFolder(folder: string): string {
  return join(folder, "data");
}

const ON_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}";

/**
 * Makes the broker's home in its folder and returns its whole environment: all defaults, nothing of
 * /etc/rabbitmq, /var/lib/rabbitmq or the caller's own RABBITMQ_* and ERL_* variables is used, and
 * everything listens on loopback only.
 */
export async function brokerSettings(
  folder: string,
  ports: BrokerPorts,
): Promise<Readonly<Record<string, string>>> {
  await mkdir(join(folder, "home"), { recursive: true });
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    HOME: join(folder, "home"), // a cookie of its own
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_CRASH_DUMP_SECONDS: "0",
    RABBITMQ_NODENAME: `speckit${ports.amqp}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_MNESIA_BASE: dataFolder(folder),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, "generated"),
    RABBITMQ_CONF_ENV_FILE: join(folder, "no-environment-file"),
    RABBITMQ_CONFIG_FILE: join(folder, "no-configuration"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "no-advanced-config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "no-plugins"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
    // "Allow input" makes the start script become the server instead of watching it from a shell,
    // so that the process we started is the broker; the arguments take the input away again.
    RABBITMQ_ALLOW_INPUT: "1",
    RABBITMQ_SERVER_START_ARGS: "-noinput +B i -start_epmd false",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: ON_LOOPBACK,
    RABBITMQ_CTL_ERL_ARGS: ON_LOOPBACK,
  };
}
