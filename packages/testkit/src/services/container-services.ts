import { PostgreSqlContainer } from "@testcontainers/postgresql";
import { RabbitMQContainer } from "@testcontainers/rabbitmq";
import { imageFor } from "../test-engine.ts";

interface ContainerService extends AsyncDisposable {
  readonly url: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Testcontainers' own cleaner is an image that a machine without a registry does not have. */
process.env.TESTCONTAINERS_RYUK_DISABLED ??= "true";

/** The official image or the stand-in, whichever the environment names; the stand-in if neither. */
export async function brokerContainer(env: Environment): Promise<ContainerService> {
  const container = await new RabbitMQContainer(env.RABBITMQ_IMAGE || imageFor("rabbitmq", env))
    // On a busy machine of two cores the broker takes longer than Testcontainers' half minute.
    .withStartupTimeout(120_000)
    .start();
  return {
    url: `amqp://guest:guest@${container.getHost()}:${container.getMappedPort(5672)}`,
    [Symbol.asyncDispose]: async () => {
      await container.stop({ removeVolumes: true });
    },
  };
}

export async function postgresContainer(env: Environment): Promise<ContainerService> {
  const container = await new PostgreSqlContainer(env.POSTGRES_IMAGE || imageFor("postgres", env))
    .withCommand(["postgres", "-c", "fsync=off", "-c", "max_connections=200"])
    .start();
  return {
    url: container.getConnectionUri(),
    [Symbol.asyncDispose]: async () => {
      await container.stop({ removeVolumes: true });
    },
  };
}
