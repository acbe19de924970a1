import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../checkout.mjs";
import { Refusal } from "../refusal.mjs";
import { runQuietly, tail } from "../run-quietly.mjs";

/** Git-ignored: logs and package lists of builds, and what they are built from. */
export const imagesFolder = join(root, ".speckit/images");

/** What a Docker command prints, or undefined when it fails; for short questions. */
export function askDocker(args, env = process.env) {
  const run = spawnSync("docker", args, { env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

/** Runs a long Docker command with its output in a log file. */
export async function runDocker(what, args, env = process.env) {
  mkdirSync(imagesFolder, { recursive: true });
  const logPath = join(imagesFolder, `${what.replaceAll(/[^\w.-]+/g, "-")}.log`);
  const { code, output } = await runQuietly("docker", args, { cwd: root, env, logPath });
  if (code !== 0) throw new Refusal(`${what} failed (see ${logPath}):\n${tail(output)}`);
  return output;
}

/** Refuses when there is no engine, or no command to speak with one. */
export function checkEngine(env = process.env) {
  const run = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    env,
    encoding: "utf8",
  });
  if (run.status === 0) return run.stdout.trim();
  const why = run.error?.code === "ENOENT" ? "there is no command `docker`" : run.stderr.trim();
  throw new Refusal(
    `No Docker engine: ${why}\n  Install one (Debian: apt-get install docker.io), or set DOCKER_HOST to one that runs.`,
    78,
  );
}
