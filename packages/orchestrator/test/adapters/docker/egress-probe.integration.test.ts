import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type DockerBench, openDockerBench, runInDocker } from "./docker-bench.ts";

let bench: DockerBench;
beforeAll(async () => {
  bench = await openDockerBench();
});
afterAll(() => bench?.[Symbol.asyncDispose]());
afterEach(async () => {
  const { engine } = bench.runtime();
  for (const job of await engine.list()) {
    await engine.remove(job);
  }
});

const NOTHING_RAN = "exit 0";

test("a job without a network is closed: its agent runs", async () => {
  const spec = await bench.shell("ls /sys/class/net; cat /proc/net/route | wc -l");
  const { exit, stdout } = await runInDocker(bench.runtime(), spec);
  expect(exit).toMatchObject({ exitCode: 0 });
  expect(stdout.toString()).toMatch(/(^|\n)lo\n/);
});

test("a container on a bridge network starts no agent and uses no ticket, and names what could be reached", async () => {
  const before = await bench.ticketsTaken();
  const spec = await bench.shell(NOTHING_RAN);
  await expect(runInDocker(bench.runtime({ networkMode: "bridge" }), spec)).rejects.toMatchObject({
    code: "EGRESS_OPEN",
    class: "permanent",
    message: expect.stringMatching(/interface eth0 \([\d.]+\).*route by eth0/),
  });
  expect(await bench.ticketsTaken()).toBe(before);
});

test("a target that answers is named: here one of the host's own addresses, from its own network", async () => {
  const spec = await bench.shell(NOTHING_RAN);
  const gateway = (await bench.docker.getNetwork("bridge").inspect()).IPAM?.Config?.[0]?.Gateway;
  // Nobody listens there, and the host says so: a refusal is an answer.
  const runtime = bench.runtime({ networkMode: "bridge", deniedTargets: [`${gateway}:1`] });
  await expect(runInDocker(runtime, spec)).rejects.toMatchObject({
    code: "EGRESS_OPEN",
    message: expect.stringContaining(`${gateway}:1 answers with ECONNREFUSED`),
  });
});
