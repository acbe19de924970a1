import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  artifactListSchema,
  eventPageSchema,
  explanationSchema,
  runPageSchema,
  runResultSchema,
  statisticsSchema,
} from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  eventually,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { Ajv2020 } from "ajv/dist/2020.js";
import { default as addFormats } from "ajv-formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();
const TOKEN = "a-token-that-nobody-guesses";

let folder: TempFolder;
let worker: WorkerProcess;
let client: PlainClient;
let runIds: readonly string[];
let remote: string;

const get = async (path: string, init: RequestInit = {}) => {
  const answer = await worker.get(path, {
    ...init,
    headers: { authorization: `Bearer ${TOKEN}`, ...init.headers },
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};

beforeAll(async () => {
  folder = await tempFolder("http-api");
  remote = await makeSampleRemote(folder.path);
  const tokenFile = join(folder.path, "token");
  await writeFile(tokenFile, `${TOKEN}\n`);
  worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_HTTP_TOKEN_FILE: tokenFile },
  });
  client = await plainClient(broker.url, broker.prefix);
  const ids: string[] = [];
  // One after the other: the list is in order of their coming.
  for (const [name, phases] of [
    ["first", ["specify"]],
    ["second", ["specify"]],
    ["third", []],
  ] as const) {
    const request = {
      schemaVersion: 1,
      repository: phases.length === 0 ? `file://${folder.path}/none` : `file://${remote}`,
      specifyText: `Add a ${name} page`,
      agent: { backend: "scripted" },
      phases: ["specify"],
      dryRun: true,
    };
    await client.publish(request, name);
    const answer = await eventually(
      `an answer to ${name}`,
      () => client.answers.find(({ correlationId }) => correlationId === name),
      Boolean,
      { withinMs: 50_000 },
    );
    ids.push(runResultSchema.parse(answer?.body).runId);
  }
  runIds = ids;
});

afterAll(async () => {
  worker.kill("SIGTERM");
  expect(await worker.result).toMatchObject({ exitCode: 0 });
  await client[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

test("every answer has the shape that the served document promises", async () => {
  const served = await worker.get("/v1/openapi.json");
  expect(served.status).toBe(200);
  const document = (await served.json()) as {
    readonly paths: Readonly<
      Record<string, { readonly get: { readonly responses: Readonly<Record<string, never>> } }>
    >;
    readonly components: object;
  };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: "doc", ...document });
  const [, , failed = ""] = runIds;
  const [first = ""] = runIds;
  for (const [path, item] of Object.entries(document.paths)) {
    for (const runId of path.includes("{runId}") ? [first, failed] : [first]) {
      const answer = await get(path.replace("{runId}", runId));
      expect(answer.status, path).toBe(200);
      expect(Object.keys(item.get.responses)).toContain("200");
      const pointer = path.replaceAll("~", "~0").replaceAll("/", "~1");
      const validate = ajv.compile({
        $ref: `doc#/paths/${pointer}/get/responses/200/content/application~1json/schema`,
      });
      validate(answer.body);
      expect(validate.errors ?? [], path).toEqual([]);
      expect(validate({ another: "shape" }), path).toBe(path === "/v1/openapi.json");
    }
  }
  const refusal = await get(`/v1/runs/${randomUUID()}`);
  const validate = ajv.compile({ $ref: "doc#/components/schemas/Error" });
  expect(validate(refusal.body), JSON.stringify(refusal.body)).toBe(true);
  expect(refusal).toMatchObject({ status: 404, body: { code: "RUN_NOT_FOUND" } });
});

test("runs are listed newest first, page by page, by status and by repository", async () => {
  const [first, second, third] = runIds;
  const page = async (query: string) => runPageSchema.parse((await get(`/v1/runs?${query}`)).body);
  const idsOf = ({ runs }: { runs: { runId: string }[] }) => runs.map(({ runId }) => runId);
  const begin = await page("limit=2");
  expect(idsOf(begin)).toEqual([third, second]);
  expect(begin.before).toBe(second);
  const rest = await page(`limit=2&before=${begin.before}`);
  expect(idsOf(rest)).toEqual([first]);
  expect(rest.before).toBeNull();
  expect(idsOf(await page("status=failed"))).toEqual([third]);
  expect(idsOf(await page(`repository=${encodeURIComponent(`file://${remote}`)}`))).toEqual([
    second,
    first,
  ]);
  expect(await get(`/v1/runs?before=${randomUUID()}`)).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("before: ") },
  });
});

test("a run, its artifacts, its events and why it is where it is can be read", async () => {
  const [first = "", , failed = ""] = runIds;
  const { body, headers } = await get(`/v1/runs/${first.toUpperCase()}`);
  const run = runResultSchema.parse(body);
  expect(run).toMatchObject({ runId: first, status: "succeeded" });
  expect(headers.get("cache-control")).toBe("no-store");
  const kept = artifactListSchema.parse((await get(`/v1/runs/${first}/artifacts`)).body);
  expect(kept.artifacts).toEqual(run.artifacts);
  const page = eventPageSchema.parse((await get(`/v1/runs/${first}/events?limit=3`)).body);
  expect(page.events.map(({ id }) => id)).toEqual([1, 2, 3].map((seq) => `${first}/${seq}`));
  const next = eventPageSchema.parse(
    (await get(`/v1/runs/${first}/events?limit=1&after=${page.after}`)).body,
  );
  expect(next.events[0]?.id).toBe(`${first}/4`);
  const why = explanationSchema.parse((await get(`/v1/runs/${failed}/explanation`)).body);
  expect(why.headline).toMatch(/^failed at prepare: [A-Z_]+/);
  expect(why.advice.at(-1)?.command).toBe(`npx speckit retry ${failed}`);
  const stats = statisticsSchema.parse((await get("/v1/stats?since=1h")).body);
  expect(stats.slo).toMatchObject({ counted: 3, failed: 1, working: { runs: 2 }, isMet: false });
  expect(stats.workingTime.count).toBe(3);
});

test("only reading is possible, only with the token, and health needs none", async () => {
  const wrong = await get("/v1/runs", { headers: { authorization: "Bearer another" } });
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get("www-authenticate")).toBe('Bearer realm="speckit"');
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const answer = await get("/v1/runs", { method });
    expect(answer).toMatchObject({ status: 405, body: { code: "HTTP_METHOD_REFUSED" } });
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
  }
  const head = await worker.get("/v1/runs", {
    method: "HEAD",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect((await worker.get("/healthz")).status).toBe(200);
  expect((await worker.get("/readyz")).status).toBe(200);
  expect((await worker.get("/elsewhere")).status).toBe(404);
});
