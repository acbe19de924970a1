/**
 * A broker and a database for tests, in the first of three ways that can be had:
 *
 * 1. `urls`: what `AMQP_URL` and `DATABASE_URL` name.
 * 2. `binaries`: private servers from the system's packages, on free ports.
 * 3. `containers`: Testcontainers, where a Docker engine has the images or can pull them.
 *
 * Each of the two services is decided for itself. `SPECKIT_TEST_SERVICES` names one way for both.
 * Binaries come before containers where both are there: they start in a third of the time, and a
 * published port of an engine is one more process that every byte passes.
 */
import { existsSync } from "node:fs";
import { startPrivateBroker } from "@speckit/private-broker";
import { startPrivatePostgres } from "../private-postgres.ts";

export const serviceWays = ["urls", "binaries", "containers"] as const;
export type ServiceWay = (typeof serviceWays)[number];

export interface OpenService extends AsyncDisposable {
  readonly way: ServiceWay;
  readonly url: string;
  /** The file it logs to, where that is on this machine. */
  readonly logPath?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** RabbitMQ by a URL whose user may declare anything. */
export async function openTestBroker(
  way: ServiceWay | undefined,
  env: Environment,
): Promise<OpenService> {
  switch (way ?? waysFor(env.AMQP_URL, "/usr/lib/rabbitmq/bin/rabbitmq-server")) {
    case "urls":
      return configured("AMQP_URL", env);
    case "binaries":
      return started("binaries", await startPrivateBroker());
    case "containers":
      return started(
        "containers",
        await (await import("./container-services.ts")).brokerContainer(env),
      );
  }
}

/** PostgreSQL by a URL whose user may create databases. */
export async function openTestPostgres(
  way: ServiceWay | undefined,
  env: Environment,
): Promise<OpenService> {
  switch (way ?? waysFor(env.DATABASE_URL, "/usr/lib/postgresql")) {
    case "urls":
      return configured("DATABASE_URL", env);
    case "binaries":
      return started("binaries", await startPrivatePostgres());
    case "containers":
      return started(
        "containers",
        await (await import("./container-services.ts")).postgresContainer(env),
      );
  }
}

/** @throws Error when the variable names no way */
export function chosenWay(env: Environment): ServiceWay | undefined {
  const wanted = env.SPECKIT_TEST_SERVICES;
  if (!wanted) {
    return undefined;
  }
  const way = serviceWays.find((known) => known === wanted);
  if (way === undefined) {
    throw new Error(
      `SPECKIT_TEST_SERVICES: expected one of ${serviceWays.join(", ")}, got ${wanted}`,
    );
  }
  return way;
}

function waysFor(url: string | undefined, binaries: string): ServiceWay {
  if (url) {
    return "urls";
  }
  return existsSync(binaries) ? "binaries" : "containers";
}

function configured(variable: string, env: Environment): OpenService {
  const url = env[variable];
  if (!url) {
    throw new Error(`${variable} is not set`);
  }
  return { way: "urls", url, async [Symbol.asyncDispose]() {} };
}

function started(
  way: ServiceWay,
  service: AsyncDisposable & { readonly url: string; readonly logPath?: string },
): OpenService {
  const { url, logPath } = service;
  return {
    way,
    url,
    ...(logPath === undefined ? {} : { logPath }),
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}
