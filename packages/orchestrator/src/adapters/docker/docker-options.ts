import type Docker from "dockerode";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";
import type { FolderOwners } from "./make-attempt-folder.ts";

const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

/** What a job may use of its engine. */
export interface ContainerLimits {
  /** Memory, swap included. Default 2 GiB. */
  readonly memoryBytes: number;
  /** Processor time, in processors. Default 2. */
  readonly cpus: number;
  /** Processes and threads. Default 512. */
  readonly pids: number;
  /** Size of `/tmp`, which is memory. Default 256 MiB. */
  readonly tmpBytes: number;
  /** What workspace and HOME may take up together. Default 5 GB. */
  readonly workspaceMaxBytes: number;
  /** Files and folders that are brought back from a workspace. Default 500,000. */
  readonly workspaceMaxEntries: number;
  /** Of stdout and stderr together; more ends the job. Default 2 GiB. */
  readonly outputMaxBytes: number;
  /** With less free space on the engine no agent starts. Default 1 GiB. */
  readonly freeBytesFloor: number;
  /** Open files of one process. Default 8,192. */
  readonly openFiles: number;
}

export const DEFAULT_CONTAINER_LIMITS: ContainerLimits = {
  memoryBytes: 2 * GIBIBYTE,
  cpus: 2,
  pids: 512,
  tmpBytes: 256 * MEBIBYTE,
  workspaceMaxBytes: 5_000_000_000,
  workspaceMaxEntries: 500_000,
  outputMaxBytes: 2 * GIBIBYTE,
  freeBytesFloor: GIBIBYTE,
  openFiles: 8_192,
};

/** Times of jobs, in milliseconds. */
export interface ContainerTimes {
  /** Between SIGTERM and SIGKILL when a job is ended. Default 10 s. */
  readonly termGraceMs: number;
  /** A job that runs longer than this gets a watcher of its volume. Default 4 s. */
  readonly watchAfterMs: number;
  /** How often its container is looked at, besides its output. Default 5 s. */
  readonly lookEveryMs: number;
  /** How long an engine may be away before its job is given up. Default 60 s. */
  readonly engineGoneMs: number;
  /** How often a job asks whether its attempt is still live. Default 15 s. */
  readonly livenessMs: number;
  /** After how long without an answer it ends itself. Default 45 s. */
  readonly giveUpMs: number;
}

export const DEFAULT_CONTAINER_TIMES: ContainerTimes = {
  termGraceMs: 10_000,
  watchAfterMs: 4_000,
  lookEveryMs: 5_000,
  engineGoneMs: 60_000,
  livenessMs: 15_000,
  giveUpMs: 45_000,
};

export interface DockerRuntimeOptions {
  /** Names and labels of everything on the engine begin with it. */
  readonly deploymentId: string;
  readonly docker: Docker;
  /** What jobs run in; see docs/job-image.md. */
  readonly image: string;
  /** Default `speckit-<first 8 of deploymentId>-gateway`. */
  readonly gatewayVolume?: string;
  readonly limits?: Partial<ContainerLimits>;
  readonly times?: Partial<ContainerTimes>;
  /** Signs the token a job takes its start ticket with. */
  readonly signStartToken: (name: JobName, ttlMs: number) => Promise<string>;
  /** Public key those tokens are checked with, base64 of SPKI DER. */
  readonly tokenKey: string;
  /** `host:port` of what no job may reach, besides what its entry program tries anyway. Default none. */
  readonly deniedTargets?: readonly string[];
  /** A test's: what a job is like that is not closed. Default `none`, and nothing else is safe. */
  readonly networkMode?: string;
  /** Called before each preparation: a job cannot start without its gateway. Default: nothing. */
  readonly ensureGateway?: () => Promise<void>;
  readonly logger: Logger;
}

/** The options with their defaults. */
export interface DockerContext extends Omit<DockerRuntimeOptions, "limits" | "times"> {
  readonly gatewayVolume: string;
  readonly folderOwners: FolderOwners;
  readonly limits: ContainerLimits;
  readonly times: ContainerTimes;
}
