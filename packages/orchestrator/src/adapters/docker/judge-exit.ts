import { SpeckitError } from "../../domain/speckit-error.ts";
import type { JobEnd, JobExit } from "../../ports/job-runtime.ts";
import type { ContainerState } from "./container-state.ts";
import type { Trailer } from "./output/trailer.ts";

type End = Pick<JobExit, "exitCode" | "signal" | "endedBy">;

/** errno names that say the executable, its arguments or environment can never be started. */
const NEVER_STARTS = new Set(["ENOENT", "EACCES", "EPERM", "ENOEXEC", "ELOOP", "ENOTDIR", "E2BIG"]);

/** Of the container's init, for an entry program that is not there or no program. */
const NOT_EXECUTED = new Set([126, 127]);

/**
 * How a job ended, from what its container says of itself and what the engine says of it.
 *
 * The trailer is the agent's end, told by the entry program. Without one the entry program itself was
 * ended from outside: by the kernel, by somebody's `docker kill`, or because the engine stopped. An
 * entry program that is gone with code 0 or 255 and no word was stopped with its engine: it never ends
 * so by itself. Code 137 may be both; it is the engine when that was seen to be away.
 *
 * @param seen `endedBy`: why we ended it; `engineWasAway` while we looked on
 * @throws SpeckitError where nothing was carried out: `AGENT_NOT_STARTED`, `ENGINE_NO_SPACE`,
 * `GATEWAY_UNREACHABLE`, `EGRESS_OPEN`, `IMAGE_UNUSABLE`
 */
export function judgeExit(
  state: Pick<ContainerState, "exitCode" | "outOfMemory">,
  trailer: Trailer | undefined,
  seen: { readonly endedBy: JobEnd | undefined; readonly engineWasAway: boolean },
): End {
  if (trailer?.kind === "refused") {
    return refused(trailer, seen.endedBy);
  }
  if (trailer === undefined && NOT_EXECUTED.has(state.exitCode) && seen.endedBy === undefined) {
    throw new SpeckitError(
      "IMAGE_UNUSABLE",
      `The job image's entry program speckit-job could not be run (code ${state.exitCode})`,
    );
  }
  const told = trailer ?? { exitCode: state.exitCode, signal: null };
  const how = { exitCode: told.exitCode, signal: told.signal };
  const endedBy = seen.endedBy ?? otherEnd(state, trailer, seen.engineWasAway);
  return endedBy === undefined ? how : { ...how, endedBy };
}

function otherEnd(
  state: Pick<ContainerState, "exitCode" | "outOfMemory">,
  trailer: Extract<Trailer, { kind: "exit" }> | undefined,
  engineWasAway: boolean,
): JobEnd | undefined {
  if (state.outOfMemory && trailer?.exitCode !== 0) {
    return "out_of_memory";
  }
  if (trailer === undefined) {
    return engineWasAway || state.exitCode === 0 || state.exitCode === 255
      ? "engine_stopped"
      : undefined;
  }
  // An engine that is shut down asks its containers to end first.
  return engineWasAway && trailer.signal !== null ? "engine_stopped" : undefined;
}

function refused(
  { code, detail, errno }: Extract<Trailer, { kind: "refused" }>,
  endedBy: JobEnd | undefined,
): End {
  const nothing = { exitCode: null, signal: null };
  if (endedBy !== undefined) {
    return { ...nothing, endedBy };
  }
  switch (code) {
    case "start_refused":
    case "secrets_missing":
    case "fenced":
      return { ...nothing, endedBy: code };
    case "no_space":
      throw new SpeckitError(
        "ENGINE_NO_SPACE",
        `The engine has too little space for a job: ${detail}`,
      );
    case "gateway_unreachable":
      throw new SpeckitError(
        "GATEWAY_UNREACHABLE",
        `The job could not reach its gateway: ${detail}`,
      );
    case "egress_open":
      throw new SpeckitError("EGRESS_OPEN", `The job's container is not closed: ${detail}`);
    case "not_started":
      if (errno === undefined || !NEVER_STARTS.has(errno)) {
        return { ...nothing, endedBy: "engine_stopped" };
      }
      throw new SpeckitError("AGENT_NOT_STARTED", `The agent could not be started: ${detail}`);
    default:
      throw new SpeckitError("INTERNAL_ERROR", `The job's entry program has refused: ${code}`);
  }
}
