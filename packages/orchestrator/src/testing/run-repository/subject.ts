import { randomUUID } from "node:crypto";
import { afterEach, beforeEach } from "vitest";
import { pipelineFor } from "../../domain/phase.ts";
import type { CredentialRepository } from "../../ports/credential-repository.ts";
import type { AttemptRecord, RunRecord } from "../../ports/run-record.ts";
import type { Hold, NewRun, RunRepository } from "../../ports/run-repository.ts";

/** An implementation of RunRepository under test, and what a test needs beside the port. */
export interface RunRepositoryUnderTest {
  readonly runs: RunRepository;
  /** Of the same database. */
  readonly credentials: CredentialRepository;
  /** Makes this much time pass for all that is stored: every lease, due time and look comes nearer, every attempt and end goes back, by `ms`. */
  readonly passTime: (ms: number) => Promise<void>;
  /** Everything that is stored, to compare before and after. */
  readonly dump: () => Promise<unknown>;
}

/** Makes a subject that has no runs. Called before each test; disposed after it. */
export type RunRepositoryFactory = () => Promise<RunRepositoryUnderTest & AsyncDisposable>;

/** The subject of the running test. */
export function perTest(factory: RunRepositoryFactory): RunRepositoryUnderTest {
  let current: (RunRepositoryUnderTest & AsyncDisposable) | undefined;
  beforeEach(async () => {
    current = await factory();
  });
  afterEach(async () => {
    await current?.[Symbol.asyncDispose]();
    current = undefined;
  });
  const here = (): RunRepositoryUnderTest => {
    if (current === undefined) {
      throw new Error("The subject exists only while a test runs");
    }
    return current;
  };
  return {
    get runs() {
      return here().runs;
    },
    get credentials() {
      return here().credentials;
    },
    passTime: (ms) => here().passTime(ms),
    dump: () => here().dump(),
  };
}

export const LEASE_MS = 30_000;

/** A run with a branch and a hash of its own. */
export function newRun(more: Partial<NewRun> = {}): NewRun {
  const runId = more.runId ?? randomUUID();
  return {
    runId,
    request: { schemaVersion: 1, repository: "owner/name", specifyText: "Add OAuth login" },
    requestHash: `hash of ${runId}`,
    repository: "owner/name",
    gitRemote: "https://github.com/owner/name.git",
    branch: `speckit/add-oauth-login-${runId.slice(0, 8)}`,
    agent: "codex",
    pipeline: pipelineFor(),
    replyTo: undefined,
    correlationId: undefined,
    ...more,
  };
}

export interface Owned {
  readonly runId: string;
  readonly workerId: number;
  readonly hold: Hold;
  readonly run: RunRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly leftAt: Date | null;
}

/** Claims a run for a new worker; fails the test when it may not be claimed. */
export async function claimed(runs: RunRepository, runId: string): Promise<Owned> {
  const workerId = await runs.registerWorker("host");
  const result = await runs.claimRun({ runId, workerId, leaseMs: LEASE_MS });
  if (!result.claimed) {
    throw new Error(`Run ${runId} could not be claimed: ${result.because}`);
  }
  const { run, attempts, leftAt } = result;
  return { runId, workerId, hold: { runId, epoch: run.epoch }, run, attempts, leftAt };
}

/** A new run in a worker's hands. */
export async function owned(runs: RunRepository, more: Partial<NewRun> = {}): Promise<Owned> {
  const run = newRun(more);
  await runs.insertRun(run);
  return claimed(runs, run.runId);
}

/** A run that has failed in its first phase, still in its owner's hands. */
export async function ended(runs: RunRepository, more: Partial<NewRun> = {}): Promise<Owned> {
  const owner = await owned(runs, more);
  await runs.commitAttempt(owner.hold, {
    events: [],
    outcome: {
      outcome: "failed",
      closing: () => ({ neverStarted: [], events: [{ type: "run.failed" }] }),
    },
  });
  return owner;
}

export async function found(runs: RunRepository, runId: string): Promise<RunRecord> {
  const run = await runs.findRun(runId);
  if (run === undefined) {
    throw new Error(`Run ${runId} is not there`);
  }
  return run;
}

/** Asks to cancel a run. @returns whether that was taken */
export async function requestCancel(
  runs: RunRepository,
  runId: string,
  commandId: string = randomUUID(),
): Promise<boolean> {
  const command = { schemaVersion: 1, commandId, runId, command: "cancel" } as const;
  return (await runs.storeCommand(command, "hash")).taken;
}
