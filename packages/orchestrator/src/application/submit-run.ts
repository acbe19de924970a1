import type { RunRequest } from "../contract/run-request.ts";
import { wakeUp } from "../contract/wake-up.ts";
import { branchNameFor } from "../domain/branch-name.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import { pipelineFor } from "../domain/phase.ts";
import { parseRepository, type RepositoryAddress } from "../domain/repository-address.ts";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { NewRun } from "../ports/run-repository.ts";
import type { Dependencies } from "./dependencies.ts";

export interface Submission {
  /** A request that has passed the schema. */
  readonly request: RunRequest;
  /** The same request as it came, before defaults: what idempotency compares. */
  readonly received: unknown;
  readonly replyTo?: string | undefined;
  readonly correlationId?: string | undefined;
}

export interface Submitted {
  readonly run: RunRecord;
  /** false: this request was accepted before; nothing was made. */
  readonly isNew: boolean;
}

export type SubmitDependencies = Pick<
  Dependencies,
  | "runs"
  | "transport"
  | "backends"
  | "defaultBackend"
  | "isAllowed"
  | "identity"
  | "logger"
  | "reach"
>;

/**
 * Accepts a request: once this returns, the run reaches an outcome whatever single thing dies. The
 * row is stored first; its wake-up may get lost with the broker, then the sweeper makes another.
 *
 * @throws SpeckitError `REPOSITORY_NOT_ALLOWED`, `AGENT_UNKNOWN`, `REQUEST_CONFLICT`, `BRANCH_BUSY`
 * or `DATABASE_UNAVAILABLE`
 */
export async function submitRun(
  deps: SubmitDependencies,
  submission: Submission,
): Promise<Submitted> {
  const { request } = submission;
  const address = admit(deps, request);
  const agent = request.agent?.backend ?? deps.defaultBackend;
  if (agent === undefined || !deps.backends.has(agent)) {
    throw new SpeckitError(
      "AGENT_UNKNOWN",
      `agent.backend: expected one of ${[...deps.backends.keys()].join(", ")}, got ${agent ?? "nothing"}`,
    );
  }
  const refused = deps.backends.get(agent)?.refuse?.(request.agent ?? {});
  if (refused !== undefined) {
    throw new SpeckitError(refused.code, refused.message, { remedy: refused.remedy });
  }
  const runId = request.runId?.toLowerCase() ?? deps.identity.newRunId();
  return storeAndWake(
    deps,
    {
      runId,
      request,
      requestHash: deps.identity.sha256(canonicalJson(submission.received)),
      repository: address.repository,
      gitRemote: address.gitRemote,
      branch: request.branch ?? branchNameFor(request.specifyText, deps.identity.sha256(runId)),
      agent,
      pipeline: pipelineFor(request.phases),
      replyTo: submission.replyTo,
      correlationId: submission.correlationId,
    },
    "REQUEST_CONFLICT",
  );
}

/**
 * Stores a run and publishes its first wake-up; both may be done again.
 *
 * @param conflict what another body under the same id or key is refused with
 */
export async function storeAndWake(
  deps: SubmitDependencies,
  run: NewRun,
  conflict: "REQUEST_CONFLICT" | "COMMAND_CONFLICT",
): Promise<Submitted> {
  const result = await deps.runs.insertRun(run);
  if (!result.inserted && result.because === "branch_busy") {
    throw new SpeckitError(
      "BRANCH_BUSY",
      `Branch ${run.branch} of ${run.repository} belongs to run ${result.runId}, which is not over`,
    );
  }
  if (!result.inserted && result.because === "other_request") {
    throw new SpeckitError(
      conflict,
      `Run ${result.run.runId} was made with this id or key from something else`,
    );
  }
  const at = { runId: result.run.runId };
  await deps.reach?.("request.stored", at);
  if (result.inserted || result.run.cleanedAt === null) {
    await wake(deps, result.run);
  }
  await deps.reach?.("request.woken", at);
  return { run: result.run, isNew: result.inserted };
}

/** @throws SpeckitError `REPOSITORY_INVALID` or `REPOSITORY_NOT_ALLOWED` */
export function admit(deps: SubmitDependencies, request: RunRequest): RepositoryAddress {
  const address = parseRepository(request.repository);
  if ("problem" in address) {
    throw new SpeckitError("REPOSITORY_INVALID", `repository: ${address.problem}`);
  }
  if (!deps.isAllowed(address)) {
    throw new SpeckitError(
      "REPOSITORY_NOT_ALLOWED",
      `repository: ${address.repository} is not in this deployment's allow-list`,
    );
  }
  return address;
}

async function wake(deps: SubmitDependencies, run: RunRecord): Promise<void> {
  try {
    await deps.transport.publishWakeUp(wakeUp(run.runId), {
      to: run.epoch === 0 ? "start" : "work",
    });
  } catch (error) {
    deps.logger.warn("wake-up not published, the sweeper will make one", {
      runId: run.runId,
      error: String(error),
    });
  }
}
