import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { exitCodeOfFailure, failureOf } from "@speckit/orchestrator";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { execa } from "execa";
import { openServices } from "./open-services.ts";
import { publishRequest } from "./publish-request.ts";
import { startWorkers } from "./start-workers.ts";

const SENTENCE = "Add a health endpoint that tells whether the service is ready";

/** `npm run fleet`: the whole path on real services, seen from outside. */
async function fleet(): Promise<number> {
  const folder = resolve(".speckit", "fleet");
  const stateDir = resolve(folder, "state");
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Not `once`: without a listener left, execa takes the process down before anything is undone.
    process.on(signal, () => stopped.reject(new Error(`stopped by ${signal}`)));
  }
  return await Promise.race([stopped.promise, carry(folder, stateDir, undo)]);
}

async function carry(
  folder: string,
  stateDir: string,
  undo: AsyncDisposableStack,
): Promise<number> {
  const [services, remote] = await Promise.all([
    openServices(stateDir, undo),
    makeSampleRemote(folder),
  ]);
  say(
    `fleet: ${services.description} · agent scripted (a stand-in, no model) · two worker processes, no file isolation`,
  );
  const workers = await startWorkers({
    count: 2,
    folder,
    services,
    undo,
    env: {
      SPECKIT_HOME: stateDir,
      SPECKIT_REPOSITORIES: `file://${folder}/*`,
      // Its agent is a program of this checkout.
      SPECKIT_RUNTIME: "process",
    },
  });
  for (const { name, pid, logPath } of workers) {
    say(`${name} ready (pid ${pid}, log ${logPath})`);
  }
  const request = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: SENTENCE,
    agent: { backend: "scripted" },
  };
  say(`publishing to speckit.requests: ${JSON.stringify(request)}`);
  const reply = await publishRequest({
    url: services.amqpUrl,
    prefix: process.env.SPECKIT_AMQP_PREFIX || "speckit",
    request,
    onEvent: ({ id, type, data }) =>
      say(`  ${id.split("/")[1]?.padStart(3)} ${type} ${about(data)}`),
  });
  say(`reply: ${reply.status}, run ${reply.runId}, branch ${reply.branch}`);
  if (reply.status !== "succeeded" || reply.branch === undefined) {
    say(`  ${reply.failure?.code}: ${reply.failure?.message}`);
    return 1;
  }
  const { stdout } = await execa("git", ["-C", remote, "log", "--oneline", reply.branch]);
  say(`git log of ${reply.branch} at the remote:`);
  say(stdout.replace(/^/gm, "  "));
  const codes = await Promise.all(workers.map((worker) => worker.drain()));
  say(`workers drained, exit codes ${codes.join(" and ")}`);
  return codes.every((code) => code === 0) ? 0 : 1;
}

function about(data: Record<string, unknown>): string {
  const { phase, attempt, text } = data;
  const where = phase === undefined ? "" : `${String(phase)}-${String(attempt)}`;
  return `${where} ${typeof text === "string" ? text : ""}`.trim();
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await fleet();
} catch (error) {
  const failure = failureOf(error);
  process.stderr.write(`fleet: ${failure.message}\n`);
  process.exitCode = exitCodeOfFailure(failure);
}
