import type { RunRows } from "@speckit/orchestrator/testing";
import type { Services } from "../world/services.ts";
import { checkPullRequestOf } from "./check-pull-requests.ts";
import { refuse } from "./refuse.ts";

/** What must hold when every run is closed and the broker has come to rest. */
export function checkEnd(services: Services, all: readonly RunRows[]): void {
  const { broker, remotes } = services;
  const left = broker.wakeUps();
  refuse(left.length > 0, "broker-empty", `${left.length} wake-ups are left: ${left[0]?.where}`);
  refuse(broker.waiting("requests") > 0, "broker-empty", "a request is left");
  const branches = new Set<string>();
  for (const rows of all) {
    const { run, attempts } = rows;
    checkPullRequestOf(rows, services);
    const what = `run ${run.runId}`;
    refuse(run.cleanedAt === null, "every-run-ends", `${what} is not closed`);
    refuse(
      services.confirmedSeq(run.runId) !== run.lastSeq,
      "every-event-told",
      `${what}: ${run.lastSeq} events, the broker has ${services.confirmedSeq(run.runId)}`,
    );
    refuse(
      attempts.some(({ state }) => state === "running"),
      "no-open-attempt",
      `${what} has an open attempt`,
    );
    branches.add(`${run.gitRemote} ${run.branch}`);
    const head = remotes.get(run.gitRemote)?.branches.get(run.branch);
    refuse(
      run.outcome === "succeeded" && run.pushed && head === undefined,
      "succeeded-is-pushed",
      `${what} has succeeded, and its branch is not at the remote`,
    );
    const isLast = !all.some((other) => other.run.retryOf === run.runId);
    refuse(
      run.outcome === "succeeded" && run.pushed && isLast && head !== run.tipSha,
      "succeeded-is-pushed",
      `${what} has succeeded with ${run.tipSha}, its branch is at ${head}`,
    );
  }
  for (const [address, { branches: heads, defaultBranch }] of remotes) {
    for (const branch of heads.keys()) {
      refuse(
        branch !== defaultBranch && !branches.has(`${address} ${branch}`),
        "one-branch",
        `${branch} belongs to no run`,
      );
    }
  }
}
