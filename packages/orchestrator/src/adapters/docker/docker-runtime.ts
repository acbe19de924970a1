import { posix } from "node:path";
import type Docker from "dockerode";
import { ATTEMPT_FOLDERS, attemptFolder } from "../../domain/attempt-folder.ts";
import type {
  Job,
  JobEngine,
  JobLimits,
  JobListener,
  JobRuntime,
  JobSignals,
  JobSpec,
  PreparedJob,
  RuntimeReport,
} from "../../ports/job-runtime.ts";
import { askEngine } from "./ask-engine.ts";
import { askInContainer } from "./ask-in-container.ts";
import { bringIn } from "./bring-in.ts";
import { pingEngine } from "./check-engine.ts";
import { containerState, isMissing } from "./container-state.ts";
import { createContainer } from "./create-container.ts";
import {
  DEFAULT_CONTAINER_LIMITS,
  DEFAULT_CONTAINER_TIMES,
  type DockerContext,
  type DockerRuntimeOptions,
} from "./docker-options.ts";
import { engineId } from "./engine-identity.ts";
import { folderMount } from "./folder-mount.ts";
import { hasSecrets, openSecretsDoor } from "./give-secrets.ts";
import { FOLDERS_IN_JOB, GATEWAY_FOLDER, jobFile } from "./job-file.ts";
import { checkTakesSecrets, jobImageId } from "./job-image.ts";
import { namePrefix } from "./job-objects.ts";
import { listJobs } from "./list-jobs.ts";
import { makeAttemptFolder } from "./make-attempt-folder.ts";
import { removeJob } from "./remove-job.ts";
import { type SupervisedSpec, superviseContainer } from "./supervise-container.ts";

/** Of a start token. Whether its attempt is live is asked all the while; this only ends a lost one. */
const START_TOKEN_MS = 24 * 3_600_000;
/** A container is made ready by the kernel when it is started; on a busy machine that takes a while. */
const START_MS = 60_000;
const ANSWER_MAX_CHARACTERS = 4_096;

/**
 * Runs each job in a container of its own, which outlives the worker that started it.
 *
 * Who does what, and what happens when it is cut:
 *
 * 1. `prepare` makes the attempt's folder in the gateway's volume, where the gateway listens from then on (and removes
 *    it when the attempt is over), then volume and container under the attempt's one name, and uploads workspace, HOME
 *    and job file. Cut here, nothing was started: the next `prepare` of the attempt finds the name
 *    taken, and uploads again into a container that nobody has started.
 * 2. The worker commits the container's id with the attempt. Cut before: as above, or the reaper's.
 * 3. `start`, by this id. Started twice by two workers it starts once; a container that has ended is
 *    not started by us, and by whomever it is, its entry program finds neither job file nor ticket.
 *    Secrets go in over its stdin, see {@link openSecretsDoor}.
 * 4. The container's entry program takes the attempt's single start ticket and runs the agent.
 * 5. Whoever supervises reads the log from its first byte and waits for the end; see
 *    {@link superviseContainer}. Cut here, the next one `attach`es and does the same.
 * 6. `remove` when the attempt's result is committed. Cut before: done again, or the reaper's.
 */
export function dockerRuntime(options: DockerRuntimeOptions): JobRuntime & {
  readonly engine: JobEngine;
} {
  const context: DockerContext = {
    ...options,
    gatewayVolume: options.gatewayVolume ?? `${namePrefix(options.deploymentId)}-gateway`,
    limits: { ...DEFAULT_CONTAINER_LIMITS, ...options.limits },
    times: { ...DEFAULT_CONTAINER_TIMES, ...options.times },
    folderOwners: new Map(),
  };
  const { docker, deploymentId, image } = context;
  const answers = new Map<string, Promise<string | undefined>>();

  return {
    report: () => report(context),
    async outputOf(argv) {
      const key = JSON.stringify([await jobImageId(docker, image), argv]);
      const known = answers.get(key);
      if (known !== undefined) {
        return known;
      }
      const answer = askInContainer(docker, deploymentId, image, argv)
        .catch(() => undefined)
        .then((found) => {
          if (found === undefined) {
            // A busy engine's fault, not the image's: the next one asks again.
            answers.delete(key);
          }
          return found?.exitCode === 0
            ? found.stdout.slice(0, ANSWER_MAX_CHARACTERS).trimEnd()
            : undefined;
        });
      answers.set(key, answer);
      return answer;
    },
    foldersInJob: () => FOLDERS_IN_JOB,
    takesPacked: true,
    prepare: (spec, signal) => prepare(context, spec, signal),
    engine: {
      id: () => engineId(context),
      ping: async () => void (await pingEngine(docker)),
      async attach(containerId, spec, ...asked) {
        const state = await containerState(docker, containerId);
        return state === undefined ? undefined : goOn(context, containerId, spec, ...asked);
      },
      list: (runId) => listJobs(docker, deploymentId, runId),
      remove: (name) => removeJob(docker, deploymentId, name),
    },
  };
}

async function prepare(
  context: DockerContext,
  spec: JobSpec,
  signal: AbortSignal,
): Promise<PreparedJob> {
  const { docker, deploymentId, limits, times, tokenKey } = context;
  signal.throwIfAborted();
  await jobImageId(docker, context.image, signal);
  if (hasSecrets(spec)) {
    await checkTakesSecrets(docker, context.image, signal);
  }
  const id = await engineId(context);
  await context.ensureGateway?.();
  const { runId, phase, attempt } = spec;
  const token = await context.signStartToken({ runId, phase, attempt }, START_TOKEN_MS);
  const door = await openDoor(context, spec, signal);
  let isOurs = true;
  try {
    const container = await createContainer(context, spec, {
      door,
      signal,
      onOthers: (isThere) => {
        isOurs = !isThere;
      },
    });
    if (container.isNew) {
      await bringIn(docker, container.id, {
        spec,
        jobFile: jobFile(spec, token, limits, times, context.deniedTargets),
        signal,
      });
    }
    return {
      place: { engineId: id, containerId: container.id, tokenKey },
      start: (...asked) => goOn(context, container.id, spec, ...asked),
    };
  } catch (error) {
    if (isOurs) {
      // What cannot be removed now is found by its labels later.
      await removeJob(docker, deploymentId, spec).catch((failed: unknown) =>
        context.logger.warn("a container that was not prepared could not be removed", {
          runId,
          phase,
          attempt,
          error: String(failed),
        }),
      );
    }
    throw error;
  }
}

/** What a job's container mounts of the gateway's volume: a folder of its own attempt. */
async function openDoor(
  context: DockerContext,
  spec: JobSpec,
  signal: AbortSignal,
): Promise<Docker.MountSettings> {
  const { docker, gatewayVolume } = context;
  await makeAttemptFolder(context, context.folderOwners, spec, signal);
  const volume = await askEngine(
    "look at a volume",
    (abortSignal) => docker.getVolume(gatewayVolume).inspect({ abortSignal }),
    { signal },
  );
  const { apiVersion } = await pingEngine(docker);
  const folder = posix.join(ATTEMPT_FOLDERS, attemptFolder(spec));
  return folderMount(volume, { folder, target: GATEWAY_FOLDER, apiVersion });
}

/** Starts a container that was never started, and supervises it from then on. */
async function goOn(
  context: DockerContext,
  containerId: string,
  spec: SupervisedSpec,
  listener: JobListener,
  limits: JobLimits,
  signals: JobSignals,
): Promise<Job> {
  if (signals.letGo.aborted) {
    return ended({ isLeft: true });
  }
  const { docker } = context;
  const state = await containerState(docker, containerId);
  if (state === undefined) {
    return ended({ endedBy: "engine_stopped" });
  }
  if (state.isNew) {
    if (signals.end.aborted) {
      return ended({ endedBy: "abort" });
    }
    if (hasSecrets(spec) && !state.takesSecrets) {
      // Made by a worker that was configured to give none: it would run without them.
      return ended({ endedBy: "secrets_missing" });
    }
    try {
      using door = state.takesSecrets ? await openSecretsDoor(docker, containerId) : undefined;
      await askEngine(
        "start a container",
        (abortSignal) => docker.getContainer(containerId).start({ abortSignal }),
        { deadlineMs: START_MS },
      );
      await door?.give(spec.secrets ?? {});
    } catch (error) {
      if (isMissing(error)) {
        return ended({ endedBy: "engine_stopped" });
      }
      throw error;
    }
  }
  return superviseContainer(context, containerId, { spec, listener, limits, signals });
}

/** A job that is not started, or not by us. */
function ended(
  how:
    | { readonly endedBy: "abort" | "engine_stopped" | "secrets_missing" }
    | { readonly isLeft: true },
): Job {
  const exit = { exitCode: null, signal: null, durationMs: 0, stderrTail: "", ...how };
  return { exit: Promise.resolve(exit), keepAlive: () => {} };
}

async function report({ docker, limits }: DockerContext): Promise<RuntimeReport> {
  const { version } = await pingEngine(docker);
  const gigabytes = (bytes: number) => `${Math.round((bytes / 1e9) * 10) / 10} GB`;
  const facts = [
    "container",
    "no network but the gateway",
    `${gigabytes(limits.memoryBytes)} memory`,
    `${limits.cpus} processors`,
    `${limits.pids} processes`,
    `${gigabytes(limits.workspaceMaxBytes)} workspace`,
    `${gigabytes(limits.outputMaxBytes)} output`,
    `Docker ${version}`,
  ];
  return { name: "docker", isolation: facts.join(", "), contained: true };
}
