import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { eventually, sshKeyPair, sshServer, tempFolder } from "@speckit/testkit";
import { execa } from "execa";
import { expect, test } from "vitest";
import { containerBench } from "./container-bench.ts";
import { startWorkerProcess } from "./worker-process.ts";

const bench = await containerBench("forwarded");

test("an engine over ssh, by a forwarded socket: the connection is lost and made again while an agent works, which is started once", async () => {
  await using folder = await tempFolder("forwarded");
  const at = (name: string) => join(folder.path, name);
  const server = await sshServer({ publicKey: sshKeyPair(at("key")), forwards: true });
  await writeFile(at("known_hosts"), `${server.knownHost}\n`);
  await writeFile(at("wrong_hosts"), `${server.wrongKnownHost}\n`);
  const { port } = new URL(server.url);
  const engine = bench.engine.dockerHost.replace("unix://", "");
  // As docs/containers.md has it, with a server and a key of this test's own.
  const forward = (knownHosts = "known_hosts") => [
    ...["-nNT", "-o", "ExitOnForwardFailure=yes", "-o", "StreamLocalBindUnlink=yes"],
    ...["-o", "ServerAliveInterval=15", "-F", "none", "-i", at("key"), "-o", "IdentitiesOnly=yes"],
    ...["-o", `UserKnownHostsFile=${at(knownHosts)}`, "-o", "StrictHostKeyChecking=yes"],
    ...["-p", port, "-L", `${at("engine.sock")}:${engine}`, `${userInfo().username}@127.0.0.1`],
  ];
  const DOCKER_HOST = `unix://${at("engine.sock")}`;
  const untilForwarded = () =>
    eventually(
      "the engine answers",
      () => execa("docker", ["info"], { env: { DOCKER_HOST }, reject: false }),
      ({ exitCode }) => exitCode === 0,
      { withinMs: 30_000, everyMs: 200 },
    );
  // Another host that has its address is told no token and no tree.
  const refused = await execa("ssh", forward("wrong_hosts"), { reject: false });
  expect(refused.stderr).toContain("Host key verification failed");

  let ssh = spawn("ssh", forward(), { stdio: "ignore" });
  try {
    await untilForwarded();
    await using worker = await startWorkerProcess(bench.worker("far", { DOCKER_HOST }));
    const remote = await bench.remote({ plan: { printBytes: 500_000, sleepMs: 8_000 } });
    const phases = ["specify", "plan"];
    const runId = await bench.publish(remote, undefined, { phases });
    await bench.untilStarted(runId, "plan");
    ssh.kill("SIGKILL");
    ssh = spawn("ssh", forward(), { stdio: "ignore" });
    await untilForwarded();
    await bench.untilClosed([runId]);
    expect(await bench.run(runId)).toMatchObject({ outcome: "succeeded" });
    const starts = await bench.starts(runId);
    expect(starts.map(({ phase, attempt }) => `${phase} ${attempt}`)).toEqual([
      "specify 1",
      "plan 1",
    ]);
    const log = await bench.artifact("far", runId, "plan-1/stdout.log");
    expect(log.length).toBeGreaterThan(500_000);
    expect(log.split("Scripted agent, plan").length).toBe(2);
    worker.kill("SIGTERM");
    expect((await worker.result).exitCode).toBe(0);
  } finally {
    ssh.kill("SIGKILL");
  }
}, 600_000);
