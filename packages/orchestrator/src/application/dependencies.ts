import type { PublishPolicy } from "../domain/publish-policy/publish-policy.ts";
import type { RepositoryAddress } from "../domain/repository-address.ts";
import type { AgentBackend } from "../ports/agent-backend.ts";
import type { ArtifactStore } from "../ports/artifact-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { CredentialRepository } from "../ports/credential-repository.ts";
import type { EgressGate } from "../ports/egress.ts";
import type { ReachFailpoint } from "../ports/failpoints.ts";
import type { GitWorkspace } from "../ports/git-workspace.ts";
import type { Identity } from "../ports/identity.ts";
import type { JobRuntime } from "../ports/job-runtime.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ModelGateway } from "../ports/model-gateway.ts";
import type { PullRequestHost } from "../ports/pull-request-host.ts";
import type { RunRepository } from "../ports/run-repository.ts";
import type { RunStatisticsReader } from "../ports/run-statistics.ts";
import type { RunSurroundingsReader } from "../ports/run-surroundings.ts";
import type { SecretScanner } from "../ports/secret-scanner.ts";
import type { Transport } from "../ports/transport.ts";
import type { Settings } from "./settings.ts";

/** Everything the use cases work with, chosen once by whoever composes them. */
export interface Dependencies {
  readonly runs: RunRepository;
  readonly statistics: RunStatisticsReader;
  readonly surroundings: RunSurroundingsReader;
  readonly transport: Transport;
  readonly git: GitWorkspace;
  /** Left out, or where it does not serve a repository: pull requests are only described. */
  readonly pullRequests?: PullRequestHost | undefined;
  readonly runtime: JobRuntime;
  readonly artifacts: ArtifactStore;
  /** By name. */
  readonly backends: ReadonlyMap<string, AgentBackend>;
  /** By the name of the credential each holds; a backend that names another one cannot run. */
  readonly gateways?: ReadonlyMap<string, ModelGateway>;
  /** Left out: attempts are given no way out besides the one to their model. */
  readonly egress?: EgressGate | undefined;
  /** Whose cool-downs are waited for. Left out: none ever rests. */
  readonly credentials?: CredentialRepository | undefined;
  /** Used when a request names none; undefined: each request must name one. */
  readonly defaultBackend: string | undefined;
  /** The deployment's allow-list. */
  readonly isAllowed: (address: RepositoryAddress) => boolean;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly logger: Logger;
  /** Left out: nothing is counted. */
  readonly metrics?: Metrics | undefined;
  readonly settings: Settings;
  /**
   * The whole command that makes a repository a Spec Kit project, started in its root. Left out:
   * repositories without Spec Kit are refused.
   */
  readonly specifyInit?: readonly [string, ...string[]] | undefined;
  /** What may be pushed, where it differs from what Spec Kit's phases write. */
  readonly publish?: PublishRules | undefined;
  /** Looks for secrets in what would be pushed. Left out: nobody does. */
  readonly secrets?: SecretScanner | undefined;
  /** Tests alone set it: see `FAILPOINTS`. */
  readonly reach?: ReachFailpoint | undefined;
}

/** A deployment's own part of the policy: its paths are allowed besides those of the phases. */
export type PublishRules = Partial<PublishPolicy>;
