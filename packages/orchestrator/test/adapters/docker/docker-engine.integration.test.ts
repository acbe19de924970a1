import { randomUUID } from "node:crypto";
import { testEngine } from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectDocker, dockerDiagnosis } from "../../../src/adapters/docker/index.ts";
import { type DockerBench, openDockerBench, runInDocker } from "./docker-bench.ts";

let bench: DockerBench;
beforeAll(async () => {
  bench = await openDockerBench();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

test("a job image that is not there is named with how to get it, and nothing is left", async () => {
  const spec = await bench.shell("true");
  for (const [image, remedy] of [
    ["speckit-no-such-image:1", "npm run images"],
    ["localhost:1/team/speckit-job:1", "docker pull localhost:1/team/speckit-job:1"],
  ] as const) {
    await expect(runInDocker(bench.runtime({ image }), spec)).rejects.toMatchObject({
      code: "IMAGE_MISSING",
      failure: { remedy: expect.stringContaining(remedy) },
    });
  }
  expect(await bench.leftovers()).toEqual([]);
});

test("an image without the entry program is named as unusable", async () => {
  const runtime = bench.runtime({ image: testEngine().image("postgres") });
  const spec = await bench.shell("true");
  await expect(runInDocker(runtime, spec)).rejects.toMatchObject({ code: "IMAGE_UNUSABLE" });
  await runtime.engine.remove(spec);
  expect(await bench.leftovers()).toEqual([]);
});

test("a short command is asked where jobs run, once for each image", async () => {
  const runtime = bench.runtime();
  expect(await runtime.outputOf?.(["sh", "-c", "id -u; ls /sys/class/net"])).toBe("10001\nlo");
  const first = await runtime.outputOf?.(["date", "+%N"]);
  expect(await runtime.outputOf?.(["date", "+%N"])).toBe(first);
  expect(await runtime.outputOf?.(["false"])).toBeUndefined();
  expect(await runtime.outputOf?.(["no-such-command"])).toBeUndefined();
  expect(await bench.leftovers()).toEqual([]);
});

test("the report says what a job may use, and of which engine", async () => {
  const { name, isolation, contained } = await bench.runtime().report();
  expect({ name, contained }).toEqual({ name: "docker", contained: true });
  expect(isolation).toMatch(
    /^container, no network but the gateway, 2\.1 GB memory, 2 processors, 512 processes, 5 GB workspace, 2\.1 GB output, Docker \d+\./,
  );
});

test("two deployments on one engine know it by names of their own, each always the same", async () => {
  const first = bench.runtime().engine;
  const id = await first.id();
  expect(await Promise.all([first.id(), bench.runtime().engine.id()])).toEqual([id, id]);
  await using other = await openDockerBench();
  expect(await other.runtime().engine.id()).not.toBe(id);
  expect(await other.runtime().engine.list()).toEqual([]);
});

test("two that ask at once for the name of an engine are told the same", async () => {
  const docker = connectDocker({ host: testEngine().dockerHost });
  await using fresh = await openDockerBench(docker);
  const ids = await Promise.all(Array.from({ length: 8 }, () => fresh.runtime().engine.id()));
  expect(new Set(ids).size).toBe(1);
});

test("engine, images, self-check, network and gateway are looked at, in this order", async () => {
  const { docker, image } = bench;
  const about = { docker, deploymentId: randomUUID(), image, gatewayImage: image };
  const found = await dockerDiagnosis({ ...about, gatewayVolume: undefined });
  expect(found.map(({ check, state }) => [check, state])).toEqual([
    ["docker.engine", "ok"],
    ["docker.image", "ok"],
    ["docker.image-check", expect.any(String)],
    ["docker.egress", "ok"],
    ["docker.gateway-image", "ok"],
    ["docker.gateway", "ok"],
  ]);
  expect(found[2]?.found).toContain('"node"');
});
