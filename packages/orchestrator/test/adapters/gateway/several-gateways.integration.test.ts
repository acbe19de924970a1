import { join } from "node:path";
import { tempFolder, testDatabase } from "@speckit/testkit";
import { Agent, fetch } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { complete, refuse } from "./fixtures/provider.ts";
import { openServedBench, type ServedBench } from "./fixtures/serve-gateway.ts";

const database = await testDatabase();
let bench: ServedBench;
let folder: Awaited<ReturnType<typeof tempFolder>>;
let other: Agent;
beforeAll(async () => {
  folder = await tempFolder("second-gateway");
  bench = await openServedBench(database.url);
  const socketPath = join(folder.path, "gateway.sock");
  await bench.serve();
  await bench.serve({ socketPath });
  other = new Agent({ connect: { socketPath } });
});
afterAll(async () => {
  await other.destroy();
  await bench[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const askOther = (path: string, token: string, body?: object) =>
  fetch(`http://gateway${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    dispatcher: other,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const callOther = (token: string) =>
  askOther("/openai/v1/responses", token, { model: "gpt-5.5", stream: true, input: [] });

test("two gateways of a deployment know the same attempts, and give a start ticket once", async () => {
  const { start, model, ...attempt } = await bench.attempt();
  const asked = await Promise.all(
    Array.from({ length: 10 }, (_, ix) =>
      ix % 2 === 0
        ? bench.ask("/speckit/v1/start", start, { method: "POST" })
        : askOther("/speckit/v1/start", start),
    ),
  );
  expect(asked.filter(({ status }) => status === 204)).toHaveLength(1);
  await (await bench.callModel(model)).text();
  await (await callOther(model)).text();
  expect(await bench.recorded(attempt)).toMatchObject([
    { outcome: "completed" },
    { outcome: "completed" },
  ]);
  await bench.attempts.closeAttempt(attempt);
});

test("what one was told of a key holds for the other, and what it has counted is known to it", async () => {
  const { model } = await bench.attempt({ tokensLeft: 1_000 });
  await (await bench.callModel(model)).text();
  expect((await callOther(model)).status).toBe(403);
  const next = await bench.attempt();
  bench.provider.answer = refuse(429, {}, { "retry-after": "20" });
  await (await bench.callModel(next.model)).text();
  bench.provider.answer = complete();
  const before = bench.provider.requests.length;
  const refused = await callOther(next.model);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: "credential_cooling" } });
  expect(bench.provider.requests.length).toBe(before);
});
