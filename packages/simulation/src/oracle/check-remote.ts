import { lineFrom, type MemoryRemotes, type RunRows } from "@speckit/orchestrator/testing";
import { refuse } from "./refuse.ts";

/** Branch heads as last seen, by remote. */
export type SeenRemote = ReadonlyMap<string, Map<string, string>>;

export function seenRemote(remotes: MemoryRemotes): SeenRemote {
  return new Map([...remotes].map(([address, { branches }]) => [address, new Map(branches)]));
}

/** A branch only ever moves forward, to a commit that a run of that branch has as its tip. */
export function checkRemote(
  seen: SeenRemote,
  remotes: MemoryRemotes,
  runs: ReadonlyMap<string, { readonly rows: RunRows }>,
): void {
  for (const [address, remote] of remotes) {
    for (const [branch, sha] of remote.branches) {
      const old = seen.get(address)?.get(branch);
      if (old === sha) {
        continue;
      }
      const own = [...runs.values()].filter(
        ({ rows: { run } }) => run.gitRemote === address && run.branch === branch,
      );
      const isOurs = own.some(({ rows: { run } }) => run.tipSha === sha);
      refuse(!isOurs, "own-commits", `branch ${branch} is at ${sha}, which no run of it has made`);
      const base = old ?? own[0]?.rows.run.baseSha ?? null;
      refuse(
        lineFrom(remote.commits, base, sha) === undefined,
        "fast-forward",
        `branch ${branch} went from ${base} to ${sha}`,
      );
      seen.get(address)?.set(branch, sha);
    }
  }
}
