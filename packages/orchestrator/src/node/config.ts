import type { ContainerLimits } from "../adapters/docker/index.ts";
import type { GatewayUpstreams, ModelPrices } from "../adapters/gateway/index.ts";
import type { CommitSigning, GitSsh } from "../adapters/git/index.ts";
import type { StatsdTags } from "../adapters/statsd/index.ts";
import type { LogLevel } from "../adapters/winston/index.ts";
import type { Settings } from "../application/settings.ts";
import type { RuntimeChoice } from "../ports/job-runtime.ts";
import { upstreamsOf } from "./upstreams.ts";

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
  /** The backend `codex`. */
  readonly codex?: {
    /** One, or several that take turns. Left out: runs with Codex are refused. */
    readonly apiKeys?: readonly string[];
    /** Absolute path, or a name looked up in PATH. Default `codex`. */
    readonly executable?: string;
    /** Default `https://api.openai.com/v1`. */
    readonly baseUrl?: string;
    /** Added to each model call. */
    readonly headers?: Readonly<Record<string, string>>;
    /** For requests that name none; default Codex's own. */
    readonly model?: string;
    /** What requests may name; default every model. */
    readonly models?: readonly string[];
    /** Names of the options requests may set; default all there are. */
    readonly options?: readonly string[];
    /** Longest time of a model call without a byte. Default 120 000. */
    readonly hangMs?: number;
  };
  /** Other providers that the gateway leads to. */
  readonly providers?: Omit<GatewayUpstreams, "openai">;
  /** By model; a model without one has an unknown cost. */
  readonly modelPrices?: ModelPrices;
  /** Agents run without a sandbox of their own. Default false. */
  readonly unsafe?: boolean;
  /**
   * Where agents run. `auto`: in containers where an engine answers that has the images, else as
   * processes of this machine. Default `process`.
   */
  readonly runtime?: RuntimeChoice;
  /** For containers. */
  readonly docker?: {
    /** As `DOCKER_HOST`. Default `unix:///var/run/docker.sock`. */
    readonly host?: string;
    readonly certPath?: string;
    readonly tlsVerify?: boolean;
    /** Default `speckit-job` of this version. */
    readonly jobImage?: string;
    readonly limits?: Partial<ContainerLimits>;
    /** Default `speckit-worker` of this version. */
    readonly gatewayImage?: string;
    /** Default `host`. */
    readonly gatewayNetwork?: string;
    /** Of a gateway that somebody else runs. Default: one is started where there is none. */
    readonly gatewayVolume?: string;
    /** Default `databaseUrl`. */
    readonly gatewayDatabaseUrl?: string;
    /** Where the gateway's own health and metrics are served. Default: nowhere. */
    readonly gatewayHealthPort?: number;
    /** Default 127.0.0.1. */
    readonly gatewayHealthHost?: string;
    /** Where agents may connect to besides their model; see `SPECKIT_EGRESS_ALLOW`. Default nowhere. */
    readonly egressAllow?: readonly string[];
    /** `host:port` of what no job may reach, besides what is tried anyway. Default none. */
    readonly egressProbe?: readonly string[];
  };
  /** argv of the backend `command`. */
  readonly agentCommand?: readonly [string, ...string[]];
  /** Secrets in the environment of the backend `command`, by variable. Default none. */
  readonly agentSecrets?: Readonly<Record<string, string>>;
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
  /** What runs may push (docs/publishing.md). */
  readonly publish?: {
    /** Patterns from the repository's root. Default: only what Spec Kit's phases write. */
    readonly paths?: readonly string[];
    /** Changes of `.github/workflows`, where their path is allowed. Default false. */
    readonly workflows?: boolean;
    /** Default 200. */
    readonly maxFiles?: number;
    /** Default 1 MiB. */
    readonly maxFileBytes?: number;
  };
  /** Default `speckit`. */
  readonly commitName?: string;
  /** Default `speckit@localhost`. */
  readonly commitEmail?: string;
  /** Commits end with `Signed-off-by` of name and address. Default false. */
  readonly commitSignoff?: boolean;
  /** `Key: value` lines at the end of commit messages. Default none. */
  readonly commitTrailers?: readonly string[];
  /** Default: commits are not signed. */
  readonly commitSigning?: CommitSigning;
  /** For ssh remotes. Default: keys and known hosts of this process's user. */
  readonly ssh?: GitSsh;
  readonly gitCredentials?: readonly {
    readonly host: string;
    readonly username: string;
    readonly token: string;
  }[];
  /** `none`: no pull request is made. Default `github`, for its repositories where it has a credential. */
  readonly pullRequestHost?: "github" | "none";
  readonly gitHub?: {
    /** Default `https://api.github.com`; Enterprise Server: `https://ghe.example.org/api/v3`. */
    readonly apiUrl?: string;
    /** Credentials of a GitHub App, for git and pull requests. Left out: those of `gitCredentials`. */
    readonly app?: {
      /** Its number, or its client id. */
      readonly id: string;
      /** PEM. */
      readonly privateKey: string;
      /** Default: looked up for each repository. */
      readonly installationId?: number;
    };
  };
  /** For whoever opens the embedded database; default 30 s. */
  readonly databaseIdleStopMs?: number;
  /** Left out: nothing is counted. */
  readonly statsd?: {
    readonly host: string;
    /** Default 8125. */
    readonly port?: number;
    /** First part of every metric's name. Default `speckit`. */
    readonly prefix?: string;
    /** Default `dogstatsd`; `names`: their values are parts of the names. */
    readonly tags?: StatsdTags;
  };
  readonly healthPort?: number;
  readonly healthHost?: string;
  /** What readers of runs must show at the health server. Left out: they cannot be read there. */
  readonly httpToken?: string;
  readonly logLevel?: LogLevel;
  /** Default `text` where stderr is a terminal, else `json`. */
  readonly logFormat?: "json" | "text";
}

/** Every secret of a configuration, by value: what no log line may hold. */
export function secretsOf(config: OrchestratorConfig): readonly string[] {
  const urls = [
    config.databaseUrl,
    config.databaseDirectUrl,
    config.amqpUrl,
    config.docker?.gatewayDatabaseUrl,
  ].flatMap((text) => {
    if (text === undefined || !URL.canParse(text)) {
      return [];
    }
    const { password } = new URL(text);
    return password === "" ? [] : [decodeURIComponent(password)];
  });
  return [
    ...urls,
    ...(config.gitCredentials ?? []).map((credential) => credential.token),
    ...(config.httpToken === undefined ? [] : [config.httpToken]),
    ...(config.gitHub?.app === undefined ? [] : [config.gitHub.app.privateKey]),
    ...Object.values(config.agentSecrets ?? {}),
    ...secretsOfUpstreams(upstreamsOf(config)),
  ];
}

export function secretsOfUpstreams(upstreams: GatewayUpstreams): readonly string[] {
  return Object.values(upstreams).flatMap((upstream) =>
    upstream === undefined ? [] : [...upstream.apiKeys, ...Object.values(upstream.headers ?? {})],
  );
}
