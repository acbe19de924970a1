import type { Finding } from "../failure.ts";
import { leadsOutside } from "./leads-outside.ts";
import type { PublishPolicy } from "./publish-policy.ts";
import type { CommittedChange, RunCommit } from "./run-changes.ts";

export interface JudgedRun {
  readonly baseSha: string;
  readonly tipSha: string;
  /** Oldest first. */
  readonly commits: readonly RunCommit[];
  readonly changes: readonly CommittedChange[];
}

/**
 * Why a run's commits may not be pushed, empty when they may: one finding for each rule that a path
 * breaks, however many commits do it. Every commit is looked at: what a later one takes back is pushed
 * with it all the same.
 */
export function judgeChanges(run: JudgedRun, policy: PublishPolicy): readonly Finding[] {
  const added = pathsOfInit(run);
  const found = new Map<string, Finding>();
  for (const change of run.changes) {
    for (const finding of judgeChange(change, policy, added)) {
      found.set(`${finding.check} ${finding.path}`, finding);
    }
  }
  return [...judgeHistory(run), ...judgeSizes(run.changes, policy), ...found.values()];
}

/** The base that was pinned when the run began, and nothing upon it but one commit for each phase. */
function judgeHistory({ baseSha, tipSha, commits }: JudgedRun): readonly Finding[] {
  const finding = (found: string): Finding => ({
    check: "publish.history",
    path: ".",
    expected: `commits of this run's phases, one upon the other, from ${baseSha} to ${tipSha}`,
    found,
  });
  let parent = baseSha;
  for (const { sha, parents, phase } of commits) {
    if (parents.length !== 1 || parents[0] !== parent) {
      return [finding(`commit ${sha} upon ${parents.join(" and ") || "nothing"}`)];
    }
    if (phase === null) {
      return [finding(`commit ${sha}, which no phase has made`)];
    }
    parent = sha;
  }
  return parent === tipSha ? [] : [finding(`commits that end at ${parent}`)];
}

function judgeSizes(
  changes: readonly CommittedChange[],
  { maxFiles, maxTotalBytes }: PublishPolicy,
): readonly Finding[] {
  const files = new Set(changes.map(({ path }) => path)).size;
  const contents = new Map(
    changes.flatMap(({ after }) => (after ? [[after.id, after.bytes]] : [])),
  );
  const bytes = [...contents.values()].reduce((sum, one) => sum + one, 0);
  return [
    ...(files > maxFiles
      ? [limit("publish.file-count", `at most ${maxFiles} files`, `${files}`)]
      : []),
    ...(bytes > maxTotalBytes
      ? [limit("publish.total-size", `at most ${maxTotalBytes} bytes`, `${bytes}`)]
      : []),
  ];
}

function limit(check: string, expected: string, found: string): Finding {
  return { check, path: ".", expected, found };
}

/** What `specify init` has added: a project that is made by its run has to be pushed with it. */
function pathsOfInit({ commits, changes }: JudgedRun): ReadonlySet<string> {
  const made = new Set(commits.filter(({ phase }) => phase === "prepare").map(({ sha }) => sha));
  return new Set(
    changes
      .filter(({ commit, kind }) => made.has(commit) && kind === "added")
      .map(({ path }) => path),
  );
}

function judgeChange(
  { path, kind, entry, after, target }: CommittedChange,
  policy: PublishPolicy,
  added: ReadonlySet<string>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const refuse = (check: string, expected: string, found: string) =>
    findings.push({ check: `publish.${check}`, path, expected, found });
  if (isWorkflow(path) && !policy.allowsWorkflows) {
    refuse("workflow", "no change of a workflow", kind);
  } else if (!added.has(path) && !policy.isAllowedPath(path)) {
    refuse("path", "only paths that the run may touch", kind);
  }
  if (entry === "submodule") {
    refuse("kind", "a file, or a symlink inside the tree", "a submodule");
  }
  if (target !== null && kind !== "removed" && leadsOutside(path, target)) {
    refuse("symlink", "a relative symlink to a place inside the tree", "a target outside of it");
  }
  if (after !== null && after.bytes > policy.maxFileBytes) {
    refuse("file-size", `at most ${policy.maxFileBytes} bytes`, `${after.bytes}`);
  }
  return findings;
}

/** Also by another case: some file systems and hosts take one for the other. */
function isWorkflow(path: string): boolean {
  return /^\.github\/workflows(?:\/|$)/i.test(path);
}
