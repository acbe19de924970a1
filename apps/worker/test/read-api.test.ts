import { type Orchestrator, SpeckitError } from "@speckit/orchestrator";
import { expect, test } from "vitest";
import { readApi } from "../src/http/read-api.ts";
import { turnstile } from "../src/http/turnstile.ts";

const TOKEN = "0123456789abcdef";
const RUN = "0190b5a2-6b1c-7c3e-8f00-0123456789ab";

function asking(token: string | undefined, orchestrator?: Orchestrator) {
  const errors: unknown[] = [];
  const ask = readApi({
    token,
    orchestrator: () => orchestrator,
    onError: (error) => void errors.push(error),
  });
  return {
    errors,
    get: async (target: string, authorization: string | undefined = `Bearer ${TOKEN}`) => {
      const answer = await ask(new URL(target, "http://worker"), authorization);
      return { ...answer, body: answer.body as Record<string, string> };
    },
  };
}

test("without a token set, nothing can be read, and the answer says how to turn it on", async () => {
  const { get } = asking(undefined);
  for (const path of ["/v1/runs", `/v1/runs/${RUN}`, "/v1/stats", "/v1/anything"]) {
    const answer = await get(path);
    expect(answer).toMatchObject({ status: 403, body: { code: "HTTP_API_OFF" } });
    expect(answer.body.remedy).toContain("SPECKIT_HTTP_TOKEN");
  }
});

test.each([
  ["none", ""],
  ["another one", `Bearer ${TOKEN.slice(0, -1)}0`],
  ["the beginning of it", `Bearer ${TOKEN.slice(0, -1)}`],
  ["more than it", `Bearer ${TOKEN}0`],
  ["two", `Bearer ${TOKEN} ${TOKEN}`],
  ["another scheme", `Basic ${TOKEN}`],
  ["no scheme", TOKEN],
])("with %s as the token, every path is refused and nothing of it is told", async (_what, sent) => {
  const { get } = asking(TOKEN);
  const answer = await get("/v1/nothing-here", sent);
  expect(answer).toMatchObject({
    status: 401,
    body: { code: "HTTP_TOKEN_REFUSED" },
    headers: { "www-authenticate": 'Bearer realm="speckit"' },
  });
  expect(JSON.stringify(answer)).not.toContain(TOKEN.slice(0, 8));
});

test.each([
  ["/v1/runs?limit=0", "limit: expected at least 1"],
  ["/v1/runs?limit=201", "limit: expected at most 200"],
  ["/v1/runs?limit=ten", "limit: expected a whole number"],
  ["/v1/runs?limit=1.5", "limit: expected a whole number"],
  ["/v1/runs?status=over", "status: "],
  ["/v1/runs?before=yesterday", "before: "],
  ["/v1/runs?limit=1&limit=2", "limit: expected once"],
  ["/v1/runs?page=2", "page: there is no such parameter"],
  ["/v1/runs?__proto__=2", "__proto__: there is no such parameter"],
  [`/v1/runs/${RUN}/events?after=-1`, "after: expected at least 0"],
  [`/v1/runs/${RUN}?verbose=1`, "verbose: there is no such parameter"],
  ["/v1/stats?since=week", "since: expected a number with s, m, h or d"],
  ["/v1/stats?slo=20", "slo: expected a number with s, m, h or d"],
  ["/v1/runs/not-an-id", "runId: expected a UUID"],
  ["/v1/runs/%2e%2e%2fetc/artifacts", "runId: expected a UUID"],
])("%s is refused with the parameter's name", async (target, message) => {
  const answer = await asking(TOKEN).get(target);
  expect(answer).toMatchObject({ status: 400, body: { code: "REQUEST_INVALID" } });
  expect(answer.body.message).toContain(message);
  expect(answer.body.remedy).toContain("docs/http-api.md");
});

test("a path that leads nowhere is told so, and while services are away everything else waits", async () => {
  const { get } = asking(TOKEN);
  for (const path of ["/v1/", "/v1/runs/", "/v1/run", `/v1/runs/${RUN}/artifacts/x`]) {
    expect(await get(path), path).toMatchObject({ status: 404 });
  }
  expect(await get("/v1/runs")).toMatchObject({
    status: 503,
    body: { code: "DATABASE_UNAVAILABLE" },
    headers: { "retry-after": "5" },
  });
});

test("what breaks inside is told as such, kept for the log, and hides no cause from it", async () => {
  const broken = {
    list: () => Promise.reject(new Error("a bug\nwith a second line")),
  } as unknown as Orchestrator;
  const { get, errors } = asking(TOKEN, broken);
  expect(await get("/v1/runs")).toMatchObject({
    status: 500,
    body: { code: "INTERNAL_ERROR", message: "Unexpected error: a bug" },
  });
  expect(errors).toHaveLength(1);
});

test("a database that does not answer is 503 with its code, and the next request is tried again", async () => {
  const answers = [
    () => Promise.reject(new SpeckitError("DATABASE_UNAVAILABLE", "cut off")),
    () => Promise.resolve([]),
  ];
  const { get } = asking(TOKEN, { list: () => answers.shift()?.() } as unknown as Orchestrator);
  expect(await get("/v1/runs")).toMatchObject({
    status: 503,
    body: { code: "DATABASE_UNAVAILABLE", message: "cut off" },
  });
  expect(await get("/v1/runs")).toMatchObject({ status: 200, body: { runs: [], before: null } });
});

test("few are served at once, the others in turn, and more than can wait are refused", async () => {
  const gate = turnstile(1, 1);
  const first = Promise.withResolvers<string>();
  const seen: string[] = [];
  const one = gate.pass(() => first.promise);
  const two = gate.pass(async () => {
    seen.push("two");
    return "two";
  });
  expect(await gate.pass(async () => "three")).toBeUndefined();
  expect(seen).toEqual([]);
  first.resolve("one");
  expect(await Promise.all([one, two])).toEqual(["one", "two"]);
  await expect(gate.pass(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await gate.pass(async () => "four")).toBe("four");
});
