import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  eventually,
  git,
  runProgram,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { spawnProgram } from "./spawned-program.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Inside the package, where its dependencies are found; git-ignored. */
const blocks = fileURLToPath(new URL(`../.speckit/library-page-${process.pid}`, import.meta.url));
const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;
let remote: string;
let worker: WorkerProcess;

/** The page's blocks as programs, with the sample in the place of its repository. */
const [SUBMIT, PUBLISH, LISTEN] = ["submit.ts", "publish.ts", "listen.ts"] as const;

beforeAll(async () => {
  folder = await tempFolder("library-page");
  remote = await makeSampleRemote(folder.path);
  const page = await readFile(join(root, "docs", "library.md"), "utf8");
  const code = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => String(match[1]));
  expect(code).toHaveLength(page.split("```").length >> 1);
  expect(code).toHaveLength(3);
  await mkdir(blocks, { recursive: true });
  for (const [ix, name] of [SUBMIT, PUBLISH, LISTEN].entries()) {
    await writeFile(
      join(blocks, name),
      String(code[ix]).replaceAll("acme/shop", `file://${remote}`),
    );
  }
  worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_AGENT: "scripted" },
  });
});

afterAll(async () => {
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
  await rm(blocks, { recursive: true });
  await rmdir(dirname(blocks)).catch(() => {});
  await folder[Symbol.asyncDispose]();
});

const env = () => ({
  DATABASE_URL: database.url,
  AMQP_URL: broker.url,
  SPECKIT_AMQP_PREFIX: broker.prefix,
  SPECKIT_HOME: join(folder.path, "service"),
  SPECKIT_REPOSITORIES: "file:///*",
  SPECKIT_AGENT: "scripted",
  SPECKIT_LOG_LEVEL: "error",
});
const run = (name: string) => runProgram(join(blocks, name), [], { env: env() });

test("the blocks of docs/library.md are programs that type-check", async () => {
  const project = { extends: join(root, "tsconfig.json"), include: ["*.ts"] };
  await writeFile(join(blocks, "tsconfig.json"), JSON.stringify(project));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const check = () => runProgram(tsc, ["--noEmit", "-p", blocks]);
  expect(await check()).toMatchObject({ exitCode: 0, stdout: "" });
  await writeFile(join(blocks, "wrong.ts"), 'export const wrong: number = "text";\n');
  expect((await check()).stdout).toContain("wrong.ts(1,14)");
  await rm(join(blocks, "wrong.ts"));
});

test("submit, wait, list: the run succeeds, and the same program finds it again", async () => {
  const first = await run(SUBMIT);
  expect(first).toMatchObject({ exitCode: 0, stderr: "" });
  const [said = "", ended = "", listed = ""] = first.stdout.split("\n");
  const [, runId] = /^new (\S+)$/.exec(said) ?? [];
  const [, branch = ""] = /^succeeded (\S+) $/.exec(ended) ?? [];
  expect(listed).toBe(`${runId} succeeded ${branch}`);
  expect(await git(remote, "branch", "--list", branch)).toContain(branch);

  const again = await run(SUBMIT);
  expect(again.stdout.split("\n").slice(0, 2)).toEqual([`known ${runId}`, ended]);
});

test("publish and request: two runs, which the listener hears of", async () => {
  const listener = spawnProgram(process.execPath, [join(blocks, LISTEN)], env());
  await eventually("it listens", () => listener.said.stdout.includes("listening"));
  const { exitCode, stdout, stderr } = await run(PUBLISH);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const [, runId, branch] = /^published (\S+)\nsucceeded (\S+)\n$/.exec(stdout) ?? [];
  const heard = await eventually(
    "it has heard of two ends",
    () => listener.said.stdout.split("\n").filter((line) => line.includes("run.succeeded")),
    (lines) => lines.length === 2,
  );
  expect(heard.join("\n")).toContain(`${runId} run.succeeded`);
  expect(heard.join("\n")).toContain(`run.succeeded ${branch} `);
  expect(listener.said.stdout).toContain("run.accepted");
  expect(listener.said.stderr).toBe("");
});
