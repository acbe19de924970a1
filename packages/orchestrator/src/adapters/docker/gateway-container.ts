import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import type { ErrorCode } from "../../domain/error-codes.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Logger } from "../../ports/logger.ts";
import { askEngine } from "./ask-engine.ts";
import { type ContainerState, containerState, engineStatus, orMissing } from "./container-state.ts";
import { CONFINED, PLAIN } from "./create-container.ts";
import { engineId } from "./engine-identity.ts";
import { giveVolumeTo } from "./give-volume-to.ts";
import { GATEWAY_FOLDER } from "./job-file.ts";
import { LABELS, labelsOf, namePrefix } from "./job-objects.ts";
import { readGatewayLog } from "./read-gateway-log.ts";
import { removeContainer } from "./remove-job.ts";
import { JOB_USER } from "./tar/pack-folder.ts";
import { volumeMount } from "./volume-mount.ts";

const MEBIBYTE = 1024 * 1024;
/** For the text of calls that are open at a time, and what is made of the largest while it is read. */
const MEMORY_BYTES = 1024 * MEBIBYTE;
const TMP_BYTES = 16 * MEBIBYTE;
const PIDS = 128;

const CONFLICT = 409;
const LOOK_MS = 200;
const READY_WITHIN_MS = 60_000;
/** One that runs for so long serves: it would have ended otherwise, and its log may have turned over. */
const SURELY_READY_MS = 30_000;
/** Whoever has created a container starts it at once, or is dead. */
const STARTED_WITHIN_MS = 20_000;

export interface GatewayContainerOptions {
  readonly docker: Docker;
  readonly deploymentId: string;
  /** Has `speckit-gateway` in its PATH. */
  readonly image: string;
  /** Its configuration as `speckit-gateway --config-stdin` reads it: one JSON document. Asked when one is started. */
  readonly config: () => string;
  /** Where it reaches its provider and the database. Default `host`. */
  readonly network?: string;
  /** Default `speckit-<first 8 of deploymentId>-gateway`, as jobs have it. */
  readonly volume?: string;
  /** Folders of the engine's machine it sees, read-only: that of an embedded database's socket. */
  readonly folders?: readonly { readonly source: string; readonly target: string }[];
  /**
   * Who it runs as, by number. Default 10001. It has no capabilities whoever it is: 0 can do what the
   * owner of its folders can, and no more.
   */
  readonly user?: number;
  /**
   * One that was started with another configuration is replaced. Right where one person uses a
   * deployment; where workers of different configurations share an engine they would take turns.
   * Default false: it is left as it is, and told of.
   */
  readonly replacesOther?: boolean;
  /** Default `speckit-gateway --config-stdin`. */
  readonly argv?: readonly [string, ...string[]];
  readonly logger: Logger;
}

/** The one gateway of a deployment on an engine. */
export interface GatewayContainer {
  /**
   * Resolves when it serves; starts it where there is none. Cheap when it runs, and made for being
   * called before each job.
   *
   * @throws SpeckitError of the engine; `GATEWAY_NOT_STARTED`, `CONFIGURATION_INVALID` or
   * `IMAGE_UNUSABLE` with its own words
   */
  readonly ensure: () => Promise<void>;
  /** Ends and removes it; the volume with its socket stays, since that names the engine. */
  readonly remove: () => Promise<void>;
}

/**
 * Starts and finds the gateway's container, whose name makes it the only one: of two workers that find
 * none one creates it, and the other waits until it serves.
 *
 * The configuration with its secrets goes in over stdin, right after the start, and is nowhere else:
 * not in the container's environment or arguments, and of it only a hash is a label. So it cannot be started a second time: one
 * that has ended, by itself or with its engine, is removed and made anew. One whose maker died before
 * it wrote the configuration ends by itself after 15 s.
 */
export function gatewayContainer(options: GatewayContainerOptions): GatewayContainer {
  const { docker, deploymentId, logger, volume = gatewayName(deploymentId) } = options;
  const name = gatewayName(deploymentId);
  const fingerprint = fingerprintOf(options);
  const isOther = ({ labels }: ContainerState): boolean =>
    labels[LABELS.configuration] !== fingerprint;
  let servingId: string | undefined;
  let ensuring: Promise<void> | undefined;

  const ensure = async (): Promise<void> => {
    const endMs = performance.now() + READY_WITHIN_MS;
    let createdSinceMs: number | undefined;
    for (;;) {
      const there = await containerState(docker, name);
      if (there?.isRunning === true && there.id !== servingId && isOther(there)) {
        if (options.replacesOther === true) {
          logger.info("gateway of another configuration is replaced", { containerId: there.id });
          await removeContainer(docker, there.id);
          continue;
        }
        logger.warn("the gateway was started with another configuration than this worker's", {
          containerId: there.id,
        });
      }
      if (there?.isRunning === true) {
        if (there.id === servingId || (await isServing(docker, there.id))) {
          servingId = there.id;
          return;
        }
      } else if (there?.isNew === true) {
        createdSinceMs ??= performance.now();
        if (performance.now() - createdSinceMs > STARTED_WITHIN_MS) {
          logger.warn("gateway that was never started is removed", { containerId: there.id });
          await removeContainer(docker, there.id);
          createdSinceMs = undefined;
        }
      } else if (there !== undefined) {
        logger.info("gateway has ended", { containerId: there.id, exitCode: there.exitCode });
        await removeContainer(docker, there.id);
        continue;
      } else {
        const id = await startNew({ ...options, volume });
        if (id !== undefined) {
          await untilServing(docker, id, name, endMs);
          logger.info("gateway started", { containerId: id });
          servingId = id;
          return;
        }
      }
      if (performance.now() > endMs) {
        throw notStarted(name, "it does not serve");
      }
      await sleep(LOOK_MS);
    }
  };

  return {
    ensure() {
      ensuring ??= ensure().finally(() => {
        ensuring = undefined;
      });
      return ensuring;
    },
    remove: () => removeContainer(docker, name),
  };
}

/** Tells configurations apart: a hash, cut short. */
function fingerprintOf({ config, image, network, folders }: GatewayContainerOptions): string {
  const text = JSON.stringify([config(), image, network, folders]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Of the container and, where none is configured, of the volume with its socket. */
export function gatewayName(deploymentId: string): string {
  return `${namePrefix(deploymentId)}-gateway`;
}

/** @returns undefined when somebody else has just created one */
async function startNew(
  options: GatewayContainerOptions & { readonly volume: string },
): Promise<string | undefined> {
  const { docker, deploymentId, volume, user = JOB_USER } = options;
  // The volume is made with the label that names the engine, by whoever comes first.
  await engineId({ docker, deploymentId, gatewayVolume: volume });
  let container: Docker.Container;
  try {
    container = await askEngine("create the gateway's container", (abortSignal) =>
      docker.createContainer({ ...containerOf(options), abortSignal }),
    );
  } catch (error) {
    if (engineStatus(error) === CONFLICT) {
      return undefined;
    }
    throw error;
  }
  try {
    await giveVolumeTo(docker, { deploymentId, image: options.image, volume, user });
    const stdin = await askEngine("attach to the gateway's container", (abortSignal) =>
      container.attach({ stream: true, stdin: true, hijack: true, abortSignal }),
    );
    // A container that ends at once takes its stdin with it: its log tells why.
    stdin.on("error", () => undefined);
    await askEngine("start the gateway's container", (abortSignal) =>
      container.start({ abortSignal }),
    );
    stdin.end(options.config());
  } catch (error) {
    await removeContainer(docker, container.id);
    throw error;
  }
  return container.id;
}

function containerOf(
  options: GatewayContainerOptions & { readonly volume: string },
): Docker.ContainerCreateOptions {
  const { deploymentId, image, volume, network = "host", folders = [], user = JOB_USER } = options;
  const { argv = ["speckit-gateway", "--config-stdin"] } = options;
  return {
    name: gatewayName(deploymentId),
    Image: image,
    ...PLAIN,
    Cmd: [...argv],
    Env: ["HOME=/tmp", "LANG=C.UTF-8"],
    User: `${user}:${user}`,
    WorkingDir: "/tmp",
    AttachStdin: true,
    OpenStdin: true,
    StdinOnce: true,
    Labels: {
      ...labelsOf(deploymentId, "gateway"),
      [LABELS.configuration]: fingerprintOf(options),
    },
    HostConfig: {
      ...CONFINED,
      NetworkMode: network,
      Memory: MEMORY_BYTES,
      MemorySwap: MEMORY_BYTES,
      PidsLimit: PIDS,
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      Tmpfs: { "/tmp": `rw,nosuid,nodev,noexec,mode=1777,size=${TMP_BYTES}` },
      Mounts: [
        volumeMount(volume, GATEWAY_FOLDER, labelsOf(deploymentId, "gateway"), { isFilled: false }),
        ...folders.map(({ source, target }) => ({
          Type: "bind" as const,
          Source: source,
          Target: target,
          ReadOnly: true,
        })),
      ],
      LogConfig: { Type: "local", Config: { "max-size": "10m", "max-file": "2" } },
    },
  };
}

async function untilServing(
  docker: Docker,
  id: string,
  name: string,
  endMs: number,
): Promise<void> {
  for (;;) {
    const state = await containerState(docker, id);
    if (state?.isRunning !== true) {
      throw await endedError(docker, id, name, state);
    }
    if (await isServing(docker, id)) {
      return;
    }
    if (performance.now() > endMs) {
      const { lastWords } = await readGatewayLog(docker, id);
      await removeContainer(docker, id);
      throw notStarted(name, `it did not serve in time: ${lastWords}`);
    }
    await sleep(LOOK_MS);
  }
}

async function isServing(docker: Docker, id: string): Promise<boolean> {
  const facts = await orMissing(
    askEngine("look at the gateway's container", (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    ),
  );
  if (facts === undefined) {
    return false;
  }
  const ranMs = Date.now() - Date.parse(facts.State.StartedAt);
  return ranMs > SURELY_READY_MS || (await readGatewayLog(docker, id)).isReady;
}

/** It is removed: nothing would ever start it again. */
async function endedError(
  docker: Docker,
  id: string,
  name: string,
  state: ContainerState | undefined,
): Promise<SpeckitError> {
  if (state === undefined) {
    return notStarted(name, "somebody has removed it");
  }
  const { lastWords } = await readGatewayLog(docker, id);
  await removeContainer(docker, id);
  const code = BY_EXIT_CODE[state.exitCode] ?? "GATEWAY_NOT_STARTED";
  const what = `it ended with ${state.exitCode}: ${lastWords}`;
  return new SpeckitError(code, `The gateway's container ${name}: ${what}`);
}

const BY_EXIT_CODE: Readonly<Record<number, ErrorCode>> = {
  78: "CONFIGURATION_INVALID",
  // Docker's init could not start the program.
  126: "IMAGE_UNUSABLE",
  127: "IMAGE_UNUSABLE",
};

function notStarted(name: string, what: string): SpeckitError {
  return new SpeckitError("GATEWAY_NOT_STARTED", `The gateway's container ${name}: ${what}`);
}
