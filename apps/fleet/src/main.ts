import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { exitCodeOfFailure, failureOf } from "@speckit/orchestrator";
import { openComposeFleet } from "./compose-fleet.ts";
import type { Fleet } from "./fleet.ts";
import { openProcessFleet } from "./process-fleet.ts";
import { publishRequest } from "./publish-request.ts";

const SENTENCE = "Add a health endpoint that tells whether the service is ready";

/**
 * `npm run fleet [-- --compose]`: the whole path on real services, seen from outside. The workers are
 * processes of this machine, or the containers of `docker/compose.yaml`.
 */
async function fleet(args: readonly string[]): Promise<number> {
  const [way, ...rest] = args;
  if ((way !== undefined && way !== "--compose") || rest.length > 0) {
    process.stderr.write(`fleet: expected nothing or --compose, got ${args.join(" ")}\n`);
    return 2;
  }
  const folder = resolve(".speckit", way === undefined ? "fleet" : "fleet-compose");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Not `once`: without a listener left, execa takes the process down before anything is undone.
    process.on(signal, () => stopped.reject(new Error(`stopped by ${signal}`)));
  }
  const open = way === undefined ? openProcessFleet : openComposeFleet;
  const carried = open(folder, undo, say).then(carry);
  return await Promise.race([stopped.promise, carried]);
}

async function carry(opened: Fleet): Promise<number> {
  const { amqpUrl, prefix, repository } = opened;
  const request = {
    schemaVersion: 1,
    repository,
    specifyText: SENTENCE,
    agent: { backend: "scripted" },
  };
  say(`publishing to ${prefix}.requests: ${JSON.stringify(request)}`);
  const reply = await publishRequest({
    url: amqpUrl,
    prefix,
    request,
    onEvent: ({ id, type, data }) =>
      say(`  ${id.split("/")[1]?.padStart(3)} ${type} ${about(data)}`),
  });
  say(`reply: ${reply.status}, run ${reply.runId}, branch ${reply.branch}`);
  if (reply.status !== "succeeded" || reply.branch === undefined) {
    say(`  ${reply.failure?.code}: ${reply.failure?.message}`);
    return 1;
  }
  say(`git log of ${reply.branch} at the remote:`);
  say((await opened.logOf(reply.branch)).replace(/^/gm, "  "));
  const codes = await opened.drain();
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
  process.exitCode = await fleet(process.argv.slice(2));
} catch (error) {
  const failure = failureOf(error);
  process.stderr.write(`fleet: ${failure.message}\n`);
  process.exitCode = exitCodeOfFailure(failure);
}
