import { once } from "node:events";
import { cp, mkdir, readFile, rm, rmdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { freePort, startPrivateBroker } from "@speckit/private-broker";
import { eventually, tempFolder, testDatabase } from "@speckit/testkit";
import amqp from "amqplib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { spawnProgram } from "./spawned-program.ts";
import { startWorkerProcess } from "./worker-process.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Inside a package that has amqplib; git-ignored. */
const programs = fileURLToPath(new URL(`../.speckit/triggers-${process.pid}`, import.meta.url));
const database = await testDatabase();

beforeAll(async () => {
  await mkdir(programs, { recursive: true });
  await cp(join(root, "examples", "triggers"), programs, { recursive: true });
});
afterAll(async () => {
  await rm(programs, { recursive: true });
  await rmdir(dirname(programs)).catch(() => {});
});

/** Rights at the broker by who needs them, from the page's table: configure, write, read. */
async function rightsOnPage(): Promise<Readonly<Record<string, readonly string[]>>> {
  const page = await readFile(join(root, "docs", "deployment.md"), "utf8");
  const rows = [
    ...page.matchAll(/^\| (worker|producer|listener) \| `(.+?)` \| `(.+?)` \| `(.+?)` \|$/gm),
  ];
  return Object.fromEntries(
    rows.map(([, who = "", ...rights]) => [
      who,
      rights.map((right) => right.replaceAll("\\|", "|")),
    ]),
  );
}

test("a call of the webhook becomes a run, and its end a word in the chat, with no more rights at the broker than the page says", async () => {
  await using folder = await tempFolder("triggers");
  const remote = await makeSampleRemote(folder.path);
  await using broker = await startPrivateBroker();
  const rights = await rightsOnPage();
  expect(Object.keys(rights)).toEqual(["worker", "producer", "listener"]);
  for (const [who, three] of Object.entries(rights)) {
    await broker.control(["add_user", who, "secret"]);
    await broker.control(["set_permissions", who, ...three]);
  }
  const urlOf = (who: string) => broker.url.replace("guest:guest", `${who}:secret`);
  await using _worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: urlOf("worker"),
    prefix: "speckit",
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_AGENT: "scripted" },
  });

  const posted: { readonly text: string }[] = [];
  const chat = createServer(async (request, response) => {
    posted.push((await json(request)) as { text: string });
    // The first time it has a bad day.
    response.writeHead(posted.length === 1 ? 500 : 200).end();
  });
  chat.listen(0, "127.0.0.1");
  await once(chat, "listening");
  const port = String(await freePort());
  const env = (who: string, more: Readonly<Record<string, string>>) => ({
    AMQP_URL: urlOf(who),
    ...more,
  });
  const CHAT_WEBHOOK_URL = `http://127.0.0.1:${(chat.address() as AddressInfo).port}/`;
  const started = (name: string, variables: Readonly<Record<string, string>>) =>
    spawnProgram(process.execPath, [join(programs, name)], variables);
  const listener = started("chat.mjs", env("listener", { CHAT_WEBHOOK_URL }));
  const webhook = started("webhook.mjs", env("producer", { WEBHOOK_TOKEN: "token", PORT: port }));
  await eventually("both listen", () =>
    [listener, webhook].every(({ said }) => said.stdout.includes("listening")),
  );

  const call = (token: string) =>
    fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ repository: `file://${remote}`, sentence: "Add a page", key: "t-1" }),
    });
  expect((await call("wrong")).status).toBe(401);
  expect((await call("token")).status).toBe(202);
  expect((await call("token")).status).toBe(202);
  const told = await eventually(
    "it is told once more after the bad day",
    () => posted,
    (texts) => texts.length === 2,
    { withinMs: 60_000 },
  );
  expect(told[0]).toEqual(told[1]);
  expect(told[1]?.text).toMatch(/^succeeded: run \S+ speckit\/add-a-page-/);
  chat.close();
  chat.closeAllConnections();

  // A producer reaches the door and nothing behind it.
  const connection = await amqp.connect(urlOf("producer"));
  connection.on("error", () => {});
  const refused = async (work: (channel: amqp.ConfirmChannel) => Promise<unknown>) => {
    const channel = await connection.createConfirmChannel();
    const closed = new Promise((resolve) => channel.once("error", (error) => resolve(error.code)));
    return Promise.race([
      work(channel).then(
        () => "done",
        () => closed,
      ),
      closed,
    ]);
  };
  const body = Buffer.from("{}");
  expect(
    await refused(async (channel) => {
      channel.publish("speckit.work", "wake", body);
      await channel.waitForConfirms();
    }),
  ).toBe(403);
  expect(await refused((channel) => channel.consume("speckit.requests", () => {}))).toBe(403);
  expect(await refused((channel) => channel.purgeQueue("speckit.start"))).toBe(403);
  await connection.close();
}, 240_000);
