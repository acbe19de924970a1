import type { Explanation } from "../contract/explanation.ts";
import { parseRunCommand } from "../contract/parse-run-command.ts";
import { parseRunRequest } from "../contract/parse-run-request.ts";
import type { RunResult } from "../contract/run-result.ts";
import type { RunStatistics } from "../contract/statistics.ts";
import { wakeUp } from "../contract/wake-up.ts";
import { isSpeckitError } from "../domain/speckit-error.ts";
import type { RuntimeReport } from "../ports/job-runtime.ts";
import type { EventRecord, RunRecord } from "../ports/run-record.ts";
import type { RunFilter } from "../ports/run-repository.ts";
import type { StatisticsQuery } from "../ports/run-statistics.ts";
import type { TransportHealth } from "../ports/transport.ts";
import { type AppliedCommand, applyCommand } from "./apply-command.ts";
import type { Dependencies } from "./dependencies.ts";
import { readExplanation } from "./explanation/read-explanation.ts";
import { type FollowOptions, followRun } from "./follow-run.ts";
import { keepArtifacts, releaseArtifacts } from "./keep-artifacts.ts";
import { type ArtifactListing, listArtifacts, readArtifact } from "./read-artifacts.ts";
import { readRunResult } from "./read-run-result.ts";
import { type RunningWorker, runWorker, type WorkerOptions } from "./run-worker.ts";
import { type Submitted, submitRun } from "./submit-run.ts";
import { type ArtifactVerdict, verifyAllArtifacts, verifyArtifacts } from "./verify-artifacts.ts";

/** Of a week; the goal is that runs end within 20 minutes. */
const DEFAULT_STATISTICS = { sinceMs: 7 * 86_400_000, targetMs: 1_200_000 } as const;

/**
 * Runs of Spec Kit: submit them, look at them, carry them. Any number of orchestrators, in any
 * number of processes, may work on one database.
 *
 * `openOrchestrator` of `@speckit/orchestrator/node` makes one with the adapters of this package.
 */
export class Orchestrator {
  readonly #deps: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#deps = dependencies;
  }

  /**
   * Stores a run. Idempotent by `runId` and `idempotencyKey`. A worker carries it.
   *
   * @param request the shape of `runRequestSchema`
   * @throws SpeckitError `REQUEST_INVALID`, `REPOSITORY_INVALID` and those of {@link submitRun}
   */
  async submit(request: unknown): Promise<Submitted> {
    return submitRun(this.#deps, { request: parseRunRequest(request), received: request });
  }

  /** The run's result envelope as it stands now. @throws SpeckitError `RUN_NOT_FOUND` */
  async result(runId: string): Promise<RunResult> {
    return readRunResult(this.#deps, runId);
  }

  async find(runId: string): Promise<RunRecord | undefined> {
    return this.#deps.runs.findRun(runId);
  }

  /** Newest first. */
  async list(filter: RunFilter = {}): Promise<readonly RunRecord[]> {
    return this.#deps.runs.listRuns(filter);
  }

  /** Events after a sequence number, at most `limit` of them. */
  async events(
    runId: string,
    range: { readonly afterSeq?: number; readonly limit?: number } = {},
  ): Promise<readonly EventRecord[]> {
    const { afterSeq = 0, limit = 500 } = range;
    return this.#deps.runs.eventsOf(runId, { afterSeq, limit });
  }

  /** Events as they are written, each once, until the run is closed: see {@link followRun}. */
  follow(
    runId: string,
    options: FollowOptions,
  ): AsyncGenerator<EventRecord, RunRecord | undefined> {
    return followRun(this.#deps, runId, options);
  }

  /** Why a run is where it is, and what to do. @throws SpeckitError `RUN_NOT_FOUND` */
  async explain(runId: string): Promise<Explanation> {
    return readExplanation(this.#deps, runId);
  }

  /**
   * Runs of a period in numbers: outcomes by day, how many were within their time, durations, waits,
   * failures, tokens; and what the live ones wait for. docs/monitoring.md says what counts.
   */
  async statistics(query: Partial<StatisticsQuery> = {}): Promise<RunStatistics> {
    return this.#deps.statistics.statistics({ ...DEFAULT_STATISTICS, ...query });
  }

  /** UUID of this deployment: the source of its events. */
  async deploymentId(): Promise<string> {
    return this.#deps.runs.deploymentId();
  }

  /** What is on record of a run's artifacts. @throws SpeckitError `RUN_NOT_FOUND` */
  async artifacts(runId: string): Promise<ArtifactListing> {
    return listArtifacts(this.#deps, runId);
  }

  /**
   * An artifact's content in pieces, from this machine's state folder.
   *
   * @throws SpeckitError those of {@link readArtifact}
   */
  artifact(runId: string, name: string): AsyncIterable<Uint8Array> {
    return readArtifact(this.#deps, runId, name);
  }

  /** Keeps a run's artifacts and rows whatever their age. @throws SpeckitError those of {@link keepArtifacts} */
  async keepArtifacts(runId: string, reason?: string): Promise<void> {
    await keepArtifacts(this.#deps, runId, reason);
  }

  /** Lets their time count again. @throws SpeckitError `RUN_NOT_FOUND` */
  async releaseArtifacts(runId: string): Promise<void> {
    await releaseArtifacts(this.#deps, runId);
  }

  /**
   * Compares a run's artifacts in this machine's state folder with what is on record.
   *
   * @throws SpeckitError `RUN_NOT_FOUND`
   */
  async verifyArtifacts(runId: string): Promise<ArtifactVerdict> {
    return verifyArtifacts(this.#deps, runId);
  }

  /** The same of every run that is over and whose artifacts are kept. */
  verifyAllArtifacts(): AsyncIterable<ArtifactVerdict> {
    return verifyAllArtifacts(this.#deps);
  }

  /**
   * Asks to cancel a run; its owner notices with the next renewal of its lease. A run that nobody
   * owns, because it waits or its owner is gone, is ended by whoever gets the wake-up.
   *
   * @param commandId the same id twice is one command
   * @returns false when the run has ended, or there is none
   */
  async cancel(
    runId: string,
    commandId: string = this.#deps.identity.newRunId(),
  ): Promise<boolean> {
    try {
      await this.command({ schemaVersion: 1, commandId, runId, command: "cancel" });
      return true;
    } catch (error) {
      if (isSpeckitError(error) && (error.code === "RUN_NOT_FOUND" || error.code === "RUN_ENDED")) {
        return false;
      }
      throw error;
    }
  }

  /**
   * Takes a command: `cancel`, `answer`, `approve`, `reject`, `resume`, `retry` or `publish`.
   * Idempotent by its `commandId`.
   *
   * @param command the shape of `runCommandSchema`
   * @throws SpeckitError `REQUEST_INVALID` and those of {@link applyCommand}
   */
  async command(command: unknown): Promise<AppliedCommand> {
    return applyCommand(this.#deps, parseRunCommand(command));
  }

  /** Publishes a wake-up for a run: it is looked at now. Harmless at any time. */
  async wake(runId: string): Promise<void> {
    await this.#deps.transport.publishWakeUp(wakeUp(runId), { to: "work" });
  }

  /** Carries runs in this process until drained. */
  async work(options: WorkerOptions): Promise<RunningWorker> {
    return runWorker(this.#deps, options);
  }

  /** What the job runtime can promise on this machine. */
  async runtime(): Promise<RuntimeReport> {
    return this.#deps.runtime.report();
  }

  transport(): TransportHealth {
    return this.#deps.transport.health();
  }

  /** Names and descriptions of the agent backends. */
  agents(): readonly { readonly name: string; readonly description: string }[] {
    return [...this.#deps.backends.values()].map(({ name, description }) => ({
      name,
      description,
    }));
  }
}
