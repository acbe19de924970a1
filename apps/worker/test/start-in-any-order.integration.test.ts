import { join } from "node:path";
import { eventually, tcpProxy, tempFolder, testBroker, testDatabase } from "@speckit/testkit";
import { expect, test } from "vitest";
import { launchWorker } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();

test("a worker that starts before its services waits, says for which, and then works", async () => {
  await using folder = await tempFolder("start-order");
  await using proxy = await tcpProxy(broker.url);
  proxy.refuse();
  await using worker = await launchWorker({
    databaseUrl: database.url,
    amqpUrl: proxy.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
  });
  await eventually(
    "it says what it waits for",
    () => worker.readiness(),
    ({ status, body }) => status === 503 && JSON.stringify(body).includes("RabbitMQ"),
    { withinMs: 20_000 },
  );
  proxy.accept();
  await eventually(
    "ready",
    () => worker.readiness(),
    (seen) => seen.status === 200,
    {
      withinMs: 30_000,
    },
  );
  worker.kill("SIGTERM");
  const done = await worker.result;
  expect(done.exitCode).toBe(0);
});

test("a worker on a volume with less free space than it wants is not ready, and says why", async () => {
  await using folder = await tempFolder("no-space");
  await using worker = await launchWorker({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_FREE_SPACE_FLOOR_MB: "1000000000" },
  });
  await eventually(
    "it says what it waits for",
    () => worker.readiness(),
    ({ status, body }) =>
      status === 503 && JSON.stringify(body).includes("space in the state folder"),
    { withinMs: 30_000 },
  );
  worker.kill("SIGTERM");
  const done = await worker.result;
  expect(done.exitCode).toBe(0);
  expect(done.stderr.match(/the state folder is nearly full/g)).toHaveLength(1);
});

test.each([
  ["database", (url: string) => url.replace(/\/[^/]*$/, "/no_such_database"), (url: string) => url],
  [
    "virtual host",
    (url: string) => url,
    (url: string) => `${url.replace(/\/$/, "")}/no-such-vhost`,
  ],
])("a %s that is refused ends the worker with exit 78", async (_what, databaseOf, brokerOf) => {
  await using folder = await tempFolder("refused");
  await using worker = await launchWorker({
    databaseUrl: databaseOf(database.url),
    amqpUrl: brokerOf(broker.url),
    prefix: broker.prefix,
    stateDir: folder.path,
  });
  const done = await worker.result;
  expect(done.exitCode).toBe(78);
  expect(done.stderr).toContain("SERVICE_REFUSED");
});
