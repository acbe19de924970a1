import { type Failure, type Finding, failure } from "../../domain/failure.ts";
import { isPhasePath } from "../../domain/publish-policy/is-phase-path.ts";
import { judgeChanges } from "../../domain/publish-policy/judge-changes.ts";
import {
  DEFAULT_PUBLISH_LIMITS,
  type PublishPolicy,
} from "../../domain/publish-policy/publish-policy.ts";
import type { GitRun } from "../../ports/git-workspace.ts";
import type { PublishRules } from "../dependencies.ts";
import { findSecrets } from "./find-secrets.ts";
import type { PhaseContext } from "./phase-work.ts";

const MAX_FINDINGS = 50;

/**
 * Why a run's commits may not reach the remote, undefined when they may. Asked before every push, and
 * of a dry run as well: what it is for is to know.
 */
export async function judgePublish(
  { deps, run, signal }: PhaseContext,
  gitRun: GitRun,
): Promise<Failure | undefined> {
  const policy = policyFor(deps.publish ?? {}, {
    featureDirectory: run.featureDirectory,
    projectDirectory: run.specKit?.directory ?? "",
  });
  const all = await deps.git.changes(gitRun, signal);
  const { baseSha, tipSha } = gitRun;
  const findings = [
    ...judgeChanges({ ...all, baseSha, tipSha }, policy),
    ...(deps.secrets === undefined ? [] : await findSecrets(deps.secrets, all, policy, signal)),
  ];
  return findings.length === 0 ? undefined : refused(run.branch, findings);
}

function refused(branch: string, findings: readonly Finding[]): Failure {
  const [first] = findings;
  const more = findings.length === 1 ? "" : ` and ${findings.length - 1} more`;
  return failure(
    "PUBLISH_REFUSED",
    `${branch} is not pushed: ${first?.path}: expected ${first?.expected}, found ${first?.found}${more}`,
    { findings: findings.slice(0, MAX_FINDINGS) },
  );
}

function policyFor(
  { isAllowedPath, ...rules }: PublishRules,
  where: Parameters<typeof isPhasePath>[1],
): PublishPolicy {
  return {
    ...DEFAULT_PUBLISH_LIMITS,
    allowsWorkflows: false,
    ...rules,
    isAllowedPath: (path) => isPhasePath(path, where) || isAllowedPath?.(path) === true,
  };
}
