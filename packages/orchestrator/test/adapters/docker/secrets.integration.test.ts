import { createHash, randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { testEngine } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JobSpec } from "../../../src/ports/job-runtime.ts";
import {
  type DockerBench,
  limitsOf,
  listening,
  openDockerBench,
  runInDocker,
  signalsOf,
} from "./docker-bench.ts";

const SECRET = `acme-canary/${randomUUID()}+1`;
const secrets = { ACME_API_KEY: SECRET };
const HASH = createHash("sha256").update(SECRET).digest("hex");
const TELLS = 'printf %s "$ACME_API_KEY" | sha256sum | cut -c 1-64; echo "$ACME_API_KEY"';
const NEVER = new AbortController().signal;

let bench: DockerBench;
beforeAll(async () => {
  bench = await openDockerBench();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** Prepares a job as a worker does that dies then. */
async function prepared(spec: JobSpec): Promise<string> {
  const { place } = await bench.runtime().prepare(spec, NEVER);
  return place?.containerId ?? "";
}

/** Goes on with a job as the next worker does, to its end. */
async function goneOnWith(containerId: string, spec: JobSpec) {
  const { listener, heard } = listening();
  const { engine } = bench.runtime();
  const job = await engine.attach(containerId, spec, listener, limitsOf(), signalsOf());
  return { exit: await job?.exit, stdout: heard().stdout.toString() };
}

/** Attaches to a container's stdin, as a worker that dies before it has written all of it. */
async function attached(containerId: string): Promise<Duplex> {
  const options = { stream: true, stdin: true, hijack: true } as const;
  const stdin = await bench.docker.getContainer(containerId).attach(options);
  stdin.on("error", () => {});
  return stdin as Duplex;
}

test("a secret is in the agent's environment: in no description of its container, and masked in its log", async () => {
  const spec = await bench.shell(TELLS, { secrets });
  const { exit, stdout, containerId } = await runInDocker(bench.runtime(), spec);
  expect(exit).toMatchObject({ exitCode: 0 });
  expect(stdout.toString()).toBe(`${HASH}\n[redacted]\n`);
  const container = bench.docker.getContainer(containerId);
  const told = [
    JSON.stringify(await container.inspect()),
    String(await container.logs({ stdout: true, stderr: true })),
  ];
  expect(told[1]).toContain(HASH);
  expect(told.filter((text) => text.includes(SECRET))).toEqual([]);
});

test("a worker killed before it attached: the next one gives the secrets", async () => {
  const spec = await bench.shell(TELLS, { secrets });
  const { exit, stdout } = await goneOnWith(await prepared(spec), spec);
  expect(exit).toMatchObject({ exitCode: 0 });
  expect(stdout).toBe(`${HASH}\n[redacted]\n`);
});

test.each([
  ["between attach and start", async (_stdin: Duplex, _start: () => Promise<unknown>) => {}],
  ["between start and writing", async (_stdin: Duplex, start: () => Promise<unknown>) => start()],
  [
    "in the middle of writing",
    async (stdin: Duplex, start: () => Promise<unknown>) => {
      await start();
      await new Promise((resolve) => stdin.write(`{"secrets":{"ACME_API_KEY":"ac`, resolve));
    },
  ],
])("a worker killed %s: no agent runs, no ticket is taken, and it is told", async (_when, act) => {
  const spec = await bench.shell("echo ran", { secrets });
  const before = await bench.ticketsTaken();
  const containerId = await prepared(spec);
  const stdin = await attached(containerId);
  await act(stdin, () => bench.docker.getContainer(containerId).start());
  stdin.destroy();
  const { exit, stdout } = await goneOnWith(containerId, spec);
  expect(exit).toMatchObject({ exitCode: null, endedBy: "secrets_missing" });
  expect(stdout).toBe("");
  expect(await bench.ticketsTaken()).toBe(before);
});

test("a worker that knows no secrets, or others, starts nothing without them", async () => {
  const spec = await bench.shell("echo ran", { secrets });
  for (const known of [undefined, { OTHER: "other-secret" }]) {
    const { runId } = { runId: randomUUID() };
    const containerId = await prepared({ ...spec, runId });
    const { secrets: _, ...rest } = spec;
    const next = { ...rest, runId, ...(known === undefined ? {} : { secrets: known }) };
    const { exit } = await goneOnWith(containerId, next);
    expect(exit).toMatchObject({ endedBy: "secrets_missing" });
  }
  // The other way round: made without, and gone on with by one that gives some.
  const { secrets: _, ...plain } = await bench.shell("echo ran", { secrets });
  const containerId = await prepared(plain);
  const { exit, stdout } = await goneOnWith(containerId, { ...plain, secrets });
  expect(exit).toMatchObject({ endedBy: "secrets_missing" });
  expect(stdout).toBe("");
  expect((await bench.docker.getContainer(containerId).inspect()).State.Status).toBe("created");
});

test("an image whose entry program takes no secrets is named before anything is made", async () => {
  const image = testEngine().image("postgres");
  const spec = await bench.shell("true", { secrets });
  await expect(bench.runtime({ image }).prepare(spec, NEVER)).rejects.toMatchObject({
    code: "IMAGE_UNUSABLE",
    message: expect.stringContaining("speckit.job-contract=2 or more, got none"),
  });
});

test("who attaches to one that runs gives nothing, and reads its masked log", async () => {
  const spec = await bench.shell(`echo up; sleep 2; ${TELLS}`, { secrets });
  const letGo = new AbortController();
  const left = await runInDocker(bench.runtime(), spec, {
    signals: { letGo: letGo.signal },
    onLine: () => letGo.abort(),
  });
  expect(left.exit.isLeft).toBe(true);
  const { exit, stdout } = await goneOnWith(left.containerId, spec);
  expect(exit).toMatchObject({ exitCode: 0 });
  expect(stdout).toBe(`up\n${HASH}\n[redacted]\n`);
});
