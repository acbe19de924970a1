import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OwnEngine, openOwnEngine, testEngine } from "@speckit/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { connectDocker } from "../../../src/adapters/docker/index.ts";
import {
  type DockerBench,
  limitsOf,
  listening,
  openDockerBench,
  runInDocker,
  signalsOf,
} from "./docker-bench.ts";

let engine: OwnEngine;
let bench: DockerBench;
beforeAll(async () => {
  engine = await openOwnEngine();
  await engine.load(testEngine(), ["job"]);
  bench = await openDockerBench(connectDocker({ host: engine.dockerHost }));
}, 180_000);
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
}, 120_000);

beforeEach(async () => {
  // It goes with the engine.
  await bench.docker.getContainer(`speckit-${bench.deploymentId.slice(0, 8)}-gateway`).restart();
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "a job whose engine is ended by %s and started again was stopped by that, and its output is kept",
  async (signal) => {
    const spec = await bench.shell("echo up; echo words >&2; sleep 600");
    const run = runInDocker(bench.runtime(), spec, {
      onLine: () => void engine.stop(signal).then(engine.start),
    });
    const { exit, stdout } = await run;
    expect(exit).toMatchObject({ endedBy: "engine_stopped", stderrTail: "words\n" });
    expect(stdout.toString()).toBe("up\n");
    await bench.runtime().engine.remove(spec);
  },
  180_000,
);

test("an engine that stays away is given up, and its job is found when it is back", async () => {
  const spec = await bench.shell("echo up; sleep 600");
  const impatient = bench.runtime({ times: { engineGoneMs: 1_000 } });
  const { listener, heard } = listening((line) => {
    if (line === "up") {
      void engine.stop("SIGKILL");
    }
  });
  const { start, place } = await impatient.prepare(spec, new AbortController().signal);
  const job = await start(listener, limitsOf(), signalsOf());
  await expect(job.exit).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  expect(heard().lines).toEqual(["up"]);

  await engine.start();
  const runtime = bench.runtime();
  expect(await runtime.engine.id()).toBe(place?.engineId);
  const again = listening();
  const attached = await runtime.engine.attach(
    place?.containerId ?? "",
    spec,
    again.listener,
    limitsOf({ deadlineMs: 10_000 }),
    signalsOf(),
  );
  await attached?.exit;
  expect(again.heard().stdout.toString()).toBe("up\n");
  await runtime.engine.remove(spec);
  expect(await bench.leftovers()).toEqual([]);
}, 180_000);

test("over TLS an engine does what it does over its socket, for whoever has a certificate", async () => {
  const docker = connectDocker({ ...engine.overTls, tlsVerify: true });
  const runtime = bench.runtime({ docker });
  const key = "a-key-of-the-agent";
  const script = 'cat given; cat; printf %s "$ACME_KEY" | sha256sum; echo taken >made';
  const spec = await bench.shell(script, { stdin: "asked\n", secrets: { ACME_KEY: key } });
  writeFileSync(join(spec.workspace, "given"), "given\n");
  const { exit, stdout } = await runInDocker(runtime, spec);
  const hash = createHash("sha256").update(key).digest("hex");
  expect(stdout.toString()).toBe(`given\nasked\n${hash}  -\n`);
  expect(exit.exitCode).toBe(0);
  expect(readFileSync(join(spec.workspace, "made"), "utf8")).toBe("taken\n");
  await runtime.engine.remove(spec);

  const stranger = bench.runtime({ docker: connectDocker({ host: engine.overTls.host }) });
  await expect(stranger.engine.id()).rejects.toMatchObject({
    code: expect.stringMatching(/^ENGINE_/),
  });
}, 180_000);
