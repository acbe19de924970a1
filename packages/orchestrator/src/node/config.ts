import type { LogLevel } from "../adapters/winston/index.ts";
import type { Settings } from "../application/settings.ts";

/** What callers write; everything but the state folder has a default. */
export interface OrchestratorConfig {
  /** PostgreSQL. */
  readonly databaseUrl?: string;
  /** The same PostgreSQL past any pooler. Default `databaseUrl`. */
  readonly databaseDirectUrl?: string;
  /** Workers hold a session there, so that others notice their death at once. Default true. */
  readonly sessionLock?: boolean;
  /** RabbitMQ. Left out: wake-ups stay in this process. */
  readonly amqpUrl?: string;
  /** First part of every exchange's and queue's name. Default `speckit`. */
  readonly amqpPrefix?: string;
  /** Absolute path: artifacts, caches, live workspaces. */
  readonly stateDir: string;
  /** Allow-list of repositories; see `isRepositoryAllowed`. Default: every https and ssh address. */
  readonly repositories?: readonly string[];
  /** Paths of this machine are allowed too. Default false: right for a terminal, wrong for a service. */
  readonly allowPaths?: boolean;
  /** Default backend. */
  readonly agent?: string;
  /** argv of the backend `command`. */
  readonly agentCommand?: readonly [string, ...string[]];
  /**
   * argv of Spec Kit's command line, without its arguments: a repository without Spec Kit gets it by
   * `init`. Left out: it is refused.
   */
  readonly specifyCommand?: readonly [string, ...string[]];
  /** Runs carried at the same time. Default 2. */
  readonly slots?: number;
  readonly settings?: Partial<Settings>;
  /** Default and least: 7 days, in milliseconds. */
  readonly artifactRetentionMs?: number;
  /** Default 5 GiB. */
  readonly workspaceMaxBytes?: number;
  /** Default `speckit`. */
  readonly commitName?: string;
  /** Default `speckit@localhost`. */
  readonly commitEmail?: string;
  readonly gitCredentials?: readonly {
    readonly host: string;
    readonly username: string;
    readonly token: string;
  }[];
  /** For whoever opens the embedded database; default 30 s. */
  readonly databaseIdleStopMs?: number;
  /** Left out: nothing is counted. */
  readonly statsd?: {
    readonly host: string;
    /** Default 8125. */
    readonly port?: number;
    /** First part of every metric's name. Default `speckit`. */
    readonly prefix?: string;
  };
  readonly healthPort?: number;
  readonly healthHost?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: "json" | "text";
}

/** Every secret of a configuration, by value: what no log line may hold. */
export function secretsOf(config: OrchestratorConfig): readonly string[] {
  const urls = [config.databaseUrl, config.databaseDirectUrl, config.amqpUrl].flatMap((text) => {
    if (text === undefined || !URL.canParse(text)) {
      return [];
    }
    const { password } = new URL(text);
    return password === "" ? [] : [decodeURIComponent(password)];
  });
  return [...urls, ...(config.gitCredentials ?? []).map((credential) => credential.token)];
}
