import type Docker from "dockerode";
import { askEngine } from "./ask-engine.ts";
import { statusOf } from "./docker-errors.ts";

/** How a container stands. */
export interface ContainerState {
  readonly id: string;
  readonly isRunning: boolean;
  /** It was never started. */
  readonly isNew: boolean;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** It waits for its secrets on stdin when it is started. */
  readonly takesSecrets: boolean;
  /** From its start to its end; 0 while there is no end. */
  readonly ranMs: number;
  readonly labels: Readonly<Record<string, string>>;
}

const RUNNING = new Set(["running", "paused", "restarting"]);
const GONE = new Set(["removing", "dead"]);

/** @returns undefined when there is no such container, or it is being removed */
export async function containerState(
  docker: Docker,
  idOrName: string,
  signal?: AbortSignal,
): Promise<ContainerState | undefined> {
  const found = await orMissing(
    askEngine(
      "look at a container",
      (abortSignal) => docker.getContainer(idOrName).inspect({ abortSignal }),
      { signal },
    ),
  );
  if (found === undefined || GONE.has(found.State.Status)) {
    return undefined;
  }
  const { Status, ExitCode, OOMKilled, StartedAt, FinishedAt } = found.State;
  return {
    id: found.Id,
    isRunning: RUNNING.has(Status),
    isNew: Status === "created",
    exitCode: ExitCode,
    outOfMemory: OOMKilled,
    takesSecrets: found.Config.OpenStdin === true,
    ranMs: Math.max(0, Date.parse(FinishedAt) - Date.parse(StartedAt)) || 0,
    labels: found.Config.Labels ?? {},
  };
}

/** Undefined for what the engine does not have. */
export async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

/** The engine has said that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return engineStatus(error) === 404;
}

/** Of the answer behind an error, however it was translated. */
export function engineStatus(error: unknown): number | undefined {
  return statusOf(error) ?? statusOf(Object(error).cause);
}
