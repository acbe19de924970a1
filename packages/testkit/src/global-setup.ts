/**
 * The services and programs of slow tests, made once per test run.
 *
 * How services are had says `services/open-services.ts`; what was started is stopped after the last test.
 * Vitest runs this file once per project, in one process and one after the other: the first starts,
 * the last stops.
 */
import { randomBytes } from "node:crypto";
import type { TestProject } from "vitest/node";
import { bundlePrograms } from "./bundled-programs.ts";
import { databaseUrl, statement } from "./database-statement.ts";
import { chosenWay, openTestBroker, openTestPostgres } from "./services/open-services.ts";

interface Services extends AsyncDisposable {
  readonly amqpUrl: string;
  /** The file the broker logs to; empty where that is not on this machine. */
  readonly brokerLog: string;
  /** Of the server's maintenance database, by a user who may create databases. */
  readonly databaseUrl: string;
  /** Name of a migrated database to copy. */
  readonly databaseTemplate: string;
}

declare module "vitest" {
  export interface ProvidedContext extends Omit<Services, symbol> {}
}

interface Shared {
  users: number;
  readonly services: Promise<Services>;
}

/** Each project loads this module anew; the process is what they share. */
const shared = globalThis as { speckitTestServices?: Shared | undefined };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.speckitTestServices ??= { users: 0, services: startServices() };
  const mine = shared.speckitTestServices;
  mine.users += 1;
  const services = await mine.services;
  project.provide("amqpUrl", services.amqpUrl);
  project.provide("brokerLog", services.brokerLog);
  project.provide("databaseUrl", services.databaseUrl);
  project.provide("databaseTemplate", services.databaseTemplate);
  return async () => {
    mine.users -= 1;
    if (mine.users === 0) {
      shared.speckitTestServices = undefined;
      await services[Symbol.asyncDispose]();
    }
  };
}

async function startServices(): Promise<Services> {
  await using undo = new AsyncDisposableStack();
  undo.use(await bundlePrograms());
  const [broker, database] = await Promise.allSettled([startBroker(undo), startDatabase(undo)]);
  if (broker.status === "rejected") {
    throw broker.reason;
  }
  if (database.status === "rejected") {
    throw database.reason;
  }
  const owned = undo.move();
  return {
    ...broker.value,
    ...database.value,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startBroker(
  undo: AsyncDisposableStack,
): Promise<Pick<Services, "amqpUrl" | "brokerLog">> {
  const broker = undo.use(await openTestBroker(chosenWay(process.env), process.env));
  return { amqpUrl: broker.url, brokerLog: broker.logPath ?? "" };
}

async function startDatabase(
  undo: AsyncDisposableStack,
): Promise<Pick<Services, "databaseUrl" | "databaseTemplate">> {
  const server = undo.use(await openTestPostgres(chosenWay(process.env), process.env));
  const serverUrl = server.url;
  const template = `speckit_template_${randomBytes(6).toString("hex")}`;
  await statement(serverUrl, `CREATE DATABASE ${template}`);
  undo.defer(() => statement(serverUrl, `DROP DATABASE ${template} WITH (FORCE)`));
  const { migrateDatabase } = await import("@speckit/orchestrator/node");
  await migrateDatabase(databaseUrl(serverUrl, template));
  return { databaseUrl: serverUrl, databaseTemplate: template };
}
