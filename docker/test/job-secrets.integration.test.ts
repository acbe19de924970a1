import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@speckit/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EntryBench, entryBench, type RunningEntry, sha256 } from "./entry-bench.ts";
import type { StandInGateway } from "./stand-in-gateway.ts";

const SECRET = `acme/+${randomUUID()}`;
const NAMED = { secrets: ["ACME_API_KEY"] };
const LINE = `${JSON.stringify({ secrets: { ACME_API_KEY: SECRET } })}\n`;

let bench: EntryBench;
let gateway: StandInGateway;
beforeEach(async () => {
  bench = await entryBench();
  gateway = await bench.gateway();
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

const sh = (script: string): string[] => ["/bin/bash", "-c", script];
const started = () => existsSync(join(bench.folder, "workspace/started"));

test("secrets come over stdin into the agent's environment: no file has them, nor the entry program's own", async () => {
  const script = [
    'printf "%s" "$ACME_API_KEY" | sha256sum',
    "cat; touch ../at-work; until [ -e ../go-on ]; do sleep 0.1; done",
    'printf %.5s "$ACME_API_KEY"; sleep 0.2; printf %s "$ACME_API_KEY" | tail -c +6; echo',
    'echo "$ACME_API_KEY" >&2; printf %s ":$ACME_API_KEY" | base64 -w 0; echo',
    'printf %.12s "$ACME_API_KEY"',
  ].join("\n");
  const run = await bench.startWithStdin(sh(script), NAMED);
  run.child.stdin?.end(LINE);
  await eventually("the agent is at work", async () => existsSync(join(bench.folder, "at-work")));
  const seen = await readFile(`/proc/${run.child.pid}/environ`, "utf8");
  const argv = await readFile(`/proc/${run.child.pid}/cmdline`, "utf8");
  const files = await Promise.all(
    (await readdir(bench.folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8")),
  );
  expect(seen).toContain("SECRET_OF_THE_CONTAINER");
  expect([seen, argv, ...files].filter((text) => text.includes(SECRET))).toEqual([]);
  await writeFile(join(bench.folder, "go-on"), "");
  const exit = await run.exit;
  expect(exit.trailer).toMatchObject({ speckit: "exit", exitCode: 0 });
  const lines = exit.agentStdout.toString().split("\n");
  expect(lines[0]).toBe(`${sha256(Buffer.from(SECRET))}  -`);
  expect(lines[1]).toBe("[redacted]");
  expect(lines[2]).toMatch(/^.{0,3}\[redacted\].{0,3}$/);
  // What only begins like it is told at the end, and counted.
  expect(lines[3]).toBe(SECRET.slice(0, 12));
  expect(exit.agentStderr.toString()).toBe("[redacted]\n");
});

test.each<[string, (run: RunningEntry) => unknown, string]>([
  ["stdin ends", ({ child }) => child.stdin?.end(), "stdin ended before they came"],
  ["half of them comes", ({ child }) => child.stdin?.end(LINE.slice(0, 30)), "stdin ended"],
  ["nothing comes in time", () => {}, "they did not come in time"],
  [
    "another one comes",
    ({ child }) => child.stdin?.end('{"secrets":{"OTHER":"x"}}\n'),
    "ACME_API_KEY did not come",
  ],
  ["what comes is no JSON", ({ child }) => child.stdin?.end(`${SECRET}\n`), "cannot be read"],
  [
    "too much comes",
    ({ child }) => child.stdin?.write("x".repeat(1024 * 1024 + 1)),
    "more than 1048576 bytes came",
  ],
])("no agent is started and no ticket taken when %s", async (_what, act, detail) => {
  const run = await bench.startWithStdin(sh("touch started"), { ...NAMED, secretsWithinMs: 2_000 });
  run.child.stdin?.on("error", () => {});
  act(run);
  const exit = await run.exit;
  expect(exit.code).toBe(93);
  expect(exit.trailer).toMatchObject({ speckit: "refused", code: "secrets_missing" });
  expect(exit.trailer.detail).toContain(detail);
  expect(exit.stdout.toString() + exit.stderr.toString()).not.toContain(SECRET.slice(0, 10));
  expect(gateway.asked).toEqual([]);
  expect(started()).toBe(false);
});

test("SIGTERM while they are waited for ends the job, agent never run", async () => {
  const run = await bench.startWithStdin(sh("touch started"), NAMED);
  await eventually("the job is read", async () => !existsSync(join(bench.folder, "job.json")));
  run.child.kill("SIGTERM");
  expect((await run.exit).trailer).toMatchObject({ code: "not_started" });
  expect(started()).toBe(false);
});
