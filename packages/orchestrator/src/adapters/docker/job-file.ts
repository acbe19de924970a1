import { posix } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobFolders, JobSpec } from "../../ports/job-runtime.ts";
import type { ContainerLimits, ContainerTimes } from "./docker-options.ts";

/** Where a job's volume is in its container. */
export const JOB_ROOT = "/speckit";
/** An attempt's folders as its job sees them. */
export const FOLDERS_IN_JOB: JobFolders = {
  workspace: `${JOB_ROOT}/workspace`,
  home: `${JOB_ROOT}/home`,
};
/** Where the gateway's socket is in a job's container. */
export const GATEWAY_FOLDER = "/run/speckit-gateway";
export const STDIN_FILE = "stdin";
export const JOB_FILE = "job.json";

/** On this port of the job's own loopback an agent reaches its gateway. */
export const BRIDGE_PORT = 8787;

/**
 * What the entry program of a job's container reads and removes before anything else (see
 * docs/job-image.md). Secrets are in it by name: their values come over stdin. A job that has any is
 * of version 2, so that an older entry program refuses it instead of starting an agent without them.
 */
export function jobFile(
  spec: JobSpec,
  token: string,
  { freeBytesFloor }: Pick<ContainerLimits, "freeBytesFloor">,
  { livenessMs, giveUpMs }: Pick<ContainerTimes, "livenessMs" | "giveUpMs">,
  deniedTargets: readonly string[] = [],
): string {
  const secrets = Object.keys(spec.secrets ?? {});
  return JSON.stringify({
    ...(secrets.length === 0 ? { v: 1 } : { v: 2, secrets }),
    argv: spec.argv,
    env: spec.env,
    cwd: posix.join(FOLDERS_IN_JOB.workspace, spec.directory ?? ""),
    stdin: `${JOB_ROOT}/${STDIN_FILE}`,
    token,
    gateway: `${GATEWAY_FOLDER}/gateway.sock`,
    bridgePort: BRIDGE_PORT,
    freeBytesFloor,
    livenessMs,
    giveUpMs,
    deniedTargets,
  });
}

/** A path below HOME. @throws SpeckitError `INTERNAL_ERROR` for one that would leave it */
export function belowHome(path: string): string {
  const plain = posix.normalize(path);
  if (path === "" || posix.isAbsolute(plain) || plain === ".." || plain.startsWith("../")) {
    throw new SpeckitError(
      "INTERNAL_ERROR",
      `A backend's file must be relative to HOME and stay in it, not ${JSON.stringify(path)}`,
    );
  }
  return plain;
}
