import { git } from "../git.ts";
import { rowsOf } from "./rows.ts";

interface RunRow {
  readonly id: string;
  readonly git_remote: string;
  readonly branch: string;
  readonly base_sha: string | null;
  readonly branch_old_sha: string | null;
  readonly tip_sha: string | null;
  readonly pushed: boolean;
  readonly outcome: string | null;
  readonly retry_of: string | null;
  readonly changed: number;
}

/** A bare repository at `path`, and what runs call it. */
export interface Remote {
  readonly path: string;
  readonly gitRemote: string;
}

/**
 * Each remote has exactly the branches that runs have pushed (beside those that were there), where
 * the rows say they are, with one commit for each phase that has changed something.
 */
export async function checkRemotes(
  databaseUrl: string,
  remotes: readonly Remote[],
): Promise<readonly string[]> {
  const runs = await rowsOf<RunRow>(
    databaseUrl,
    `SELECT id, git_remote, branch, base_sha, branch_old_sha, tip_sha, pushed, outcome, retry_of,
            (SELECT count(*)::int FROM spec_workflow_task_states
              WHERE run_id = id AND state = 'succeeded' AND changed) AS changed
       FROM spec_workflow_runs ORDER BY created_at, id`,
  );
  const problems: string[] = [];
  for (const { path, gitRemote } of remotes) {
    const own = runs.filter((run) => run.git_remote === gitRemote);
    problems.push(...(await checkRemote(path, own)));
  }
  return problems;
}

async function checkRemote(remote: string, runs: readonly RunRow[]): Promise<readonly string[]> {
  const listed = await git(
    remote,
    "for-each-ref",
    "--format=%(refname:lstrip=2) %(objectname)",
    "refs/heads/",
  );
  const tips = new Map(
    listed
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" ") as [string, string]),
  );
  const problems: string[] = [];
  // A branch may be handed from a run that is over to a later one: the last word counts.
  for (const run of new Map(runs.map((one) => [one.branch, one])).values()) {
    const tip = tips.get(run.branch);
    const where = `${remote}: branch ${run.branch} of run ${run.id}`;
    if (run.pushed && tip !== run.tip_sha) {
      problems.push(`${where} is at ${tip}, its row says ${run.tip_sha}`);
    }
    // A run that was cancelled or failed in its push does not know whether it arrived.
    const mayBeThere = run.outcome !== "succeeded" && tip === run.tip_sha;
    if (!run.pushed && tip !== undefined && tip !== run.branch_old_sha && !mayBeThere) {
      problems.push(`${where} is at ${tip}, and the run has not pushed`);
    }
    const from = run.branch_old_sha ?? run.base_sha;
    if (run.pushed && tip !== undefined && from !== null) {
      const commits = await git(remote, "rev-list", "--count", `${from}..${tip}`).catch(() => "no");
      const changed = changedInLine(runs, run);
      if (commits !== String(changed)) {
        problems.push(`${where} has ${commits} commits for ${changed} phases that changed it`);
      }
    }
  }
  const branches = new Set(runs.map((run) => run.branch));
  const strays = [...tips.keys()].filter(
    (branch) => branch.startsWith("speckit/") && !branches.has(branch),
  );
  return [...problems, ...strays.map((branch) => `${remote}: branch ${branch} is of no run`)];
}

/** Phases that have changed something, of a run and of those it goes on from. */
function changedInLine(runs: readonly RunRow[], run: RunRow): number {
  const before = runs.find(({ id }) => id === run.retry_of);
  return run.changed + (before === undefined ? 0 : changedInLine(runs, before));
}
