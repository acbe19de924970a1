import { isSpeckitError } from "../domain/speckit-error.ts";
import type { StoredArtifact } from "../ports/artifact-store.ts";
import type { Dependencies } from "./dependencies.ts";
import { runOf } from "./read-artifacts.ts";

/** Runs in one question. */
const PAGE = 200;

/** What is wrong with one file. */
export interface ArtifactProblem {
  readonly name: string;
  /** `unexpected`: it is here and not on record. */
  readonly problem: "missing" | "different" | "unreadable" | "unexpected";
  /** One line for people. */
  readonly detail: string;
}

export interface ArtifactVerdict {
  readonly runId: string;
  /** `live`: not looked at, what is written now is not on record yet. `deleted`: its time was over. */
  readonly state: "intact" | "damaged" | "live" | "deleted";
  /** On record. */
  readonly artifacts: number;
  readonly bytes: number;
  readonly problems: readonly ArtifactProblem[];
  /**
   * Files of attempts that did not succeed and are not on record: their worker died between writing
   * and recording them. No damage, and evidence all the same.
   */
  readonly leftovers: readonly string[];
}

type Needs = Pick<Dependencies, "runs" | "artifacts">;

/**
 * Compares what is on record of a run's artifacts with the files of this machine's state folder:
 * each is there with its size and hash, and nothing else is but what a dead worker may have left.
 *
 * @throws SpeckitError `RUN_NOT_FOUND`
 */
export async function verifyArtifacts(deps: Needs, runId: string): Promise<ArtifactVerdict> {
  const run = await runOf(deps.runs, runId);
  const recorded = await deps.runs.artifactsOf(run.runId);
  const facts = {
    runId: run.runId,
    artifacts: recorded.length,
    bytes: recorded.reduce((sum, { bytes }) => sum + bytes, 0),
    problems: [],
    leftovers: [],
  };
  if (run.artifactsDeletedAt !== null) {
    return { ...facts, state: "deleted" };
  }
  if (run.cleanedAt === null) {
    return { ...facts, state: "live" };
  }
  const found = await compare(deps, run.runId, recorded);
  if (found.problems.length === 0) {
    return { ...facts, ...found, state: "intact" };
  }
  // Their time may have been over just now.
  const now = await deps.runs.findRun(run.runId);
  return now === undefined || now.artifactsDeletedAt !== null
    ? { ...facts, state: "deleted" }
    : { ...facts, ...found, state: "damaged" };
}

/** Every run that is over and whose artifacts are kept, one after the other. */
export async function* verifyAllArtifacts(deps: Needs): AsyncGenerator<ArtifactVerdict, void> {
  for (let after: string | undefined; ; ) {
    const page = await deps.runs.runsWithArtifacts({ after, limit: PAGE });
    for (const runId of page) {
      yield await verifyArtifacts(deps, runId);
    }
    after = page.at(-1);
    if (after === undefined) {
      return;
    }
  }
}

async function compare(
  deps: Needs,
  runId: string,
  recorded: readonly StoredArtifact[],
): Promise<Pick<ArtifactVerdict, "problems" | "leftovers">> {
  const here = new Set(await deps.artifacts.list(runId));
  const problems: ArtifactProblem[] = [];
  for (const artifact of recorded) {
    const problem = here.delete(artifact.name)
      ? await differenceOf(deps, runId, artifact)
      : missing(artifact);
    if (problem !== undefined) {
      problems.push(problem);
    }
  }
  const unfinished = (await deps.runs.attemptsOf(runId))
    .filter(({ state }) => state !== "succeeded")
    .map(({ phase, attempt }) => `${phase}-${attempt}/`);
  const leftovers: string[] = [];
  for (const name of here) {
    if (unfinished.some((folder) => name.startsWith(folder))) {
      leftovers.push(name);
    } else {
      problems.push({ name, problem: "unexpected", detail: "it is here and not on record" });
    }
  }
  return { problems, leftovers };
}

function missing({ name, bytes }: StoredArtifact): ArtifactProblem {
  return {
    name,
    problem: "missing",
    detail: `${bytes} bytes are on record; it is not on this machine`,
  };
}

async function differenceOf(
  { artifacts }: Needs,
  runId: string,
  recorded: StoredArtifact,
): Promise<ArtifactProblem | undefined> {
  const { name } = recorded;
  try {
    for await (const _piece of artifacts.read(runId, name, recorded)) {
      // All of it is read for its size and hash.
    }
    return undefined;
  } catch (error) {
    if (!isSpeckitError(error)) {
      throw error;
    }
    const detail = error.message;
    switch (error.code) {
      case "ARTIFACT_NOT_HERE":
        return missing(recorded);
      case "ARTIFACT_DAMAGED":
        return { name, problem: "different", detail };
      default:
        return { name, problem: "unreadable", detail };
    }
  }
}
