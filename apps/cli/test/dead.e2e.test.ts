import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkRuns,
  eventually,
  startProgram,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import amqp from "amqplib";
import { expect, test } from "vitest";
import { cli } from "./cli.ts";

const database = await testDatabase();
const broker = testBroker();

test("a refused request is listed, shown, replayed corrected, and becomes a run", async () => {
  await using folder = await tempFolder("cli-dead");
  const remote = await makeSampleRemote(folder.path);
  const env = {
    DATABASE_URL: database.url,
    AMQP_URL: broker.url,
    SPECKIT_AMQP_PREFIX: broker.prefix,
    SPECKIT_REPOSITORIES: "file:///*",
  };
  const main = fileURLToPath(import.meta.resolve("@speckit/worker/main"));
  const worker = startProgram(main, [], { env: { ...env, SPECKIT_HOME: folder.path } });
  const speckit = cli(folder.path, env);
  const dead = async (...args: readonly string[]) => {
    const done = await speckit.run(["dead", ...args, "--json"]);
    return { exitCode: done.exitCode, body: JSON.parse(done.stdout || "null") };
  };
  try {
    const request = {
      schemaVersion: 1,
      repository: `file://${remote}`,
      specifyText: "Add a page",
      agent: { backend: "scripted" },
      idempotencyKey: "replayed",
    };
    const wrong = { ...request, specifytext: `${request.specifyText}\u009b31m` };
    await eventually("the worker has declared the door", () => publish(wrong), Boolean, {
      withinMs: 20_000,
      everyMs: 200,
    });

    const listed = await eventually(
      "it is listed",
      () => dead("list"),
      ({ body }) => body.length > 0,
    );
    const [letter] = listed.body;
    expect(letter).toMatchObject({
      code: "REQUEST_INVALID",
      reason: expect.stringContaining("specifytext"),
    });
    expect(JSON.parse((await dead("show", letter.id)).body.body)).toEqual(wrong);

    // What somebody has written must not steer the terminal of who reads it.
    const shown = await speckit.run(["dead", "show", letter.id]);
    expect(shown.stdout).toContain("\\u{9b}31m");
    expect(shown.stdout).not.toMatch(/(?!\n)\p{Cc}/u);

    const corrected = join(folder.path, "corrected.json");
    await writeFile(corrected, JSON.stringify(request));
    expect(await dead("replay", letter.id, "--file", corrected)).toMatchObject({ exitCode: 0 });
    await eventually(
      "the run has succeeded",
      async () => JSON.parse((await speckit.run(["list", "--json"])).stdout),
      (runs) => runs.length === 1 && runs[0].status === "succeeded",
      { withinMs: 40_000, everyMs: 300 },
    );
    expect((await dead("show", letter.id)).exitCode).toBe(2);
  } finally {
    worker.kill("SIGTERM");
    await worker.result;
  }
  expect(await checkRuns(database.url)).toEqual([]);
});

test("without a fleet there is no dead-letter queue", async () => {
  await using folder = await tempFolder("cli-no-dead");
  const done = await cli(folder.path).run(["dead", "list"]);
  expect(done.exitCode).toBe(78);
  expect(done.stderr).toContain("AMQP_URL");
});

/** @returns whether the message has reached a queue */
async function publish(body: object): Promise<boolean> {
  const connection = await amqp.connect(broker.url, { noDelay: true });
  connection.on("error", () => {});
  try {
    const channel = await connection.createConfirmChannel();
    channel.on("error", () => {});
    let isReturned = false;
    channel.on("return", () => {
      isReturned = true;
    });
    const content = Buffer.from(JSON.stringify(body));
    channel.publish(`${broker.prefix}.requests`, "run.request", content, { mandatory: true });
    await channel.waitForConfirms();
    return !isReturned;
  } catch {
    return false;
  } finally {
    await connection.close().catch(() => {});
  }
}
