/** One environment variable. `docs/configuration.md` is generated from these. */
export interface SettingFacts {
  readonly name: string;
  readonly meaning: string;
  /** As documented; undefined: no default. */
  readonly default?: string;
  /** Has a `_FILE` twin that names a file with the value, and never appears in a log or message. */
  readonly secret?: true;
}

export const SETTINGS = [
  {
    name: "DATABASE_URL",
    secret: true,
    meaning:
      "PostgreSQL 15 to 18, `postgres://user:password@host/database`. With AMQP_URL, or neither.",
  },
  {
    name: "DATABASE_DIRECT_URL",
    secret: true,
    meaning:
      "The same PostgreSQL past any connection pooler: a worker's session there tells others at once when it is killed.",
    default: "DATABASE_URL",
  },
  {
    name: "SPECKIT_SESSION_LOCK",
    default: "on",
    meaning:
      "`on` or `off`: whether a worker holds that session. It only saves time: without it a killed worker's runs go on when their leases have run out.",
  },
  {
    name: "AMQP_URL",
    secret: true,
    meaning:
      "RabbitMQ 3.10 to 4, `amqp://user:password@host/vhost`. With DATABASE_URL, or neither.",
  },
  {
    name: "SPECKIT_AMQP_PREFIX",
    default: "speckit",
    meaning: "First part of the name of every exchange and queue.",
  },
  {
    name: "SPECKIT_HOME",
    default: "$XDG_STATE_HOME/speckit, else ~/.local/state/speckit",
    meaning: "State folder: artifacts, repository caches, live workspaces, the embedded database.",
  },
  {
    name: "SPECKIT_REPOSITORIES",
    default: "every https and ssh address (worker); also paths (terminal, embedded)",
    meaning:
      "Allow-list, separated by commas: `owner/name`, `owner/*`, `https://host/*`, `git@host:*`, `file:///folder/*`.",
  },
  {
    name: "SPECKIT_AGENT",
    default: "`command` when SPECKIT_AGENT_COMMAND is set, else `codex`",
    meaning: "Backend for requests that name none: `codex`, `command` or `scripted`.",
  },
  {
    name: "CODEX_API_KEY",
    secret: true,
    meaning:
      "Key of the model's provider for the backend `codex`, or several that take turns, separated by commas (docs/gateway.md). Only the gateway has them: agents get a throw-away token.",
    default: "OPENAI_API_KEY",
  },
  { name: "OPENAI_API_KEY", secret: true, meaning: "The same, where CODEX_API_KEY is not set." },
  {
    name: "SPECKIT_CODEX_PATH",
    default: "codex",
    meaning: "Codex's executable: an absolute path, or a name looked up in PATH.",
  },
  {
    name: "SPECKIT_CODEX_BASE_URL",
    default: "https://api.openai.com/v1",
    meaning: "Where the gateway sends Codex's model calls: a server of the Responses API.",
  },
  {
    name: "SPECKIT_CODEX_HEADERS",
    secret: true,
    meaning:
      'Headers the gateway adds to them, as a JSON object, for example `{"OpenAI-Organization":"org-1"}`.',
  },
  {
    name: "SPECKIT_CODEX_MODEL",
    default: "Codex's own",
    meaning: "Model for requests that name none.",
  },
  {
    name: "SPECKIT_CODEX_MODELS",
    default: "every model",
    meaning: "Models a request may name, separated by commas; the default model always may.",
  },
  {
    name: "SPECKIT_CODEX_OPTIONS",
    default: "reasoningEffort,reasoningSummary,verbosity",
    meaning: "Options a request may set, separated by commas; `none` for none.",
  },
  {
    name: "ANTHROPIC_API_KEY",
    secret: true,
    meaning:
      "Key of Anthropic, or several, separated by commas. The gateway leads agents there at `/anthropic`.",
  },
  {
    name: "SPECKIT_ANTHROPIC_BASE_URL",
    default: "https://api.anthropic.com",
    meaning: "Where those calls go: a server of the Messages API, without `/v1`.",
  },
  {
    name: "SPECKIT_ANTHROPIC_HEADERS",
    secret: true,
    meaning: "Headers the gateway adds to them, as a JSON object.",
  },
  {
    name: "GEMINI_API_KEY",
    secret: true,
    meaning:
      "Key of Gemini, or several, separated by commas. The gateway leads agents there at `/gemini`.",
  },
  {
    name: "SPECKIT_GEMINI_BASE_URL",
    default: "https://generativelanguage.googleapis.com",
    meaning: "Where those calls go: a server of the Gemini API, without `/v1beta`.",
  },
  {
    name: "SPECKIT_GEMINI_HEADERS",
    secret: true,
    meaning: "Headers the gateway adds to them, as a JSON object.",
  },
  {
    name: "SPECKIT_MODEL_PRICES",
    default: "none: costs are not known",
    meaning:
      'Prices in USD per million tokens, as a JSON object by model: `{"gpt-5.5":{"inputUsdPerMTok":1.25,"cachedInputUsdPerMTok":0.125,"outputUsdPerMTok":10,"asOf":"2026-11-01"}}`.',
  },
  {
    name: "SPECKIT_MODEL_HANG_MS",
    default: "120000",
    meaning: "How long a model call may go without a byte from the provider, in milliseconds.",
  },
  {
    name: "SPECKIT_UNSAFE",
    default: "off",
    meaning:
      "`on`: agents run without a sandbox of their own. In the process runtime nothing else holds them.",
  },
  {
    name: "SPECKIT_AGENT_COMMAND",
    meaning:
      "The backend `command`: its argv as a JSON array of strings; `{workspace}`, `{home}`, `{phase}` and `{featureDirectory}` are replaced. The prompt comes on stdin.",
  },
  {
    name: "SPECKIT_AGENT_SECRETS",
    default: "none",
    meaning:
      "Names of variables, separated by commas, whose values the backend `command` gets in its environment, as secrets (docs/agents.md). Each is set beside it, or in a file that `<NAME>_FILE` names.",
  },
  {
    name: "SPECKIT_EXTENSION_HOOKS",
    default: "off",
    meaning:
      "`on` or `off`: whether agents may carry out hooks of a repository's Spec Kit extensions (`.specify/extensions.yml`).",
  },
  {
    name: "SPECKIT_SPECIFY_INIT",
    default: "off",
    meaning:
      "`on` or `off`: whether a repository without Spec Kit gets it, as the run's first commit, instead of being refused.",
  },
  {
    name: "SPECKIT_SPECIFY_COMMAND",
    default: '["specify"]',
    meaning:
      "Spec Kit's own command for that, as a JSON array of strings; `init` and its options are added.",
  },
  {
    name: "SPECKIT_RUNTIME",
    default: "auto",
    meaning:
      "Where agents run: `docker`, each in a container of its own; `process`, on this machine without file isolation; `auto`: `docker` where the engine answers and has the images, else `process`, and which is said.",
  },
  {
    name: "DOCKER_HOST",
    default: "unix:///var/run/docker.sock",
    meaning: "The Docker engine: `unix:///path` or `tcp://host:port`.",
  },
  {
    name: "DOCKER_CERT_PATH",
    meaning: "Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine over TLS.",
  },
  {
    name: "DOCKER_TLS_VERIFY",
    meaning: "Not empty: TLS is spoken with the engine, and its certificate is checked.",
  },
  {
    name: "SPECKIT_JOB_IMAGE",
    default: "speckit-job of this version",
    meaning: "Image of the agents' containers (docs/job-image.md).",
  },
  {
    name: "SPECKIT_JOB_MEMORY_BYTES",
    default: "2147483648",
    meaning: "Memory of one agent's container, in bytes.",
  },
  { name: "SPECKIT_JOB_CPUS", default: "2", meaning: "Processors one may use." },
  { name: "SPECKIT_JOB_PIDS", default: "512", meaning: "Processes and threads one may have." },
  {
    name: "SPECKIT_JOB_TMP_BYTES",
    default: "268435456",
    meaning: "Size of its /tmp, in bytes; that is memory.",
  },
  {
    name: "SPECKIT_JOB_FREE_BYTES",
    default: "1073741824",
    meaning: "With less free space on the engine, in bytes, no agent starts.",
  },
  {
    name: "SPECKIT_GATEWAY_IMAGE",
    default: "speckit-worker of this version",
    meaning: "Image of the gateway's container, where a worker starts it (docs/gateway.md).",
  },
  {
    name: "SPECKIT_GATEWAY_NETWORK",
    default: "host",
    meaning:
      "Docker network of that container: it must lead to the model's provider and the database.",
  },
  {
    name: "SPECKIT_EGRESS_ALLOW",
    default: "nothing",
    meaning:
      "Where agents in containers may connect to besides their model, by way of the gateway, separated by commas: `host[:port][/tcp][@phase+phase]`, `*.host` for the names below it. The port is 443 unless given; `/tcp` where it is not TLS, whose first bytes are looked at otherwise; without phases all agent phases are meant. Workers and gateways need the same.",
  },
  {
    name: "SPECKIT_EGRESS_PROBE",
    default: "none",
    meaning:
      "More targets that no job may reach, separated by commas: `host:port`, `[IPv6]:port`. Each job tries them before its agent starts, besides 1.1.1.1:443 and 169.254.169.254:80.",
  },
  {
    name: "SPECKIT_GATEWAY_VOLUME",
    default: "none: the worker starts a gateway where there is none",
    meaning:
      "Volume with the socket of a gateway that somebody else runs. Then workers need no key of a provider.",
  },
  {
    name: "SPECKIT_GATEWAY_DATABASE_URL",
    secret: true,
    default: "DATABASE_URL",
    meaning:
      "PostgreSQL as the gateway sees it, as a role that may only call the gateway's functions (docs/gateway.md).",
  },
  {
    name: "SPECKIT_GATEWAY_HEALTH_PORT",
    default: "none: no server",
    meaning:
      "Port on which the gateway's container tells its health and metrics (`/healthz`, `/readyz`, `/metrics`); 0 takes a free one. No job reaches it.",
  },
  {
    name: "SPECKIT_GATEWAY_HEALTH_HOST",
    default: "127.0.0.1",
    meaning: "Address it listens on.",
  },
  { name: "SPECKIT_SLOTS", default: "2", meaning: "Runs a worker carries at the same time." },
  {
    name: "SPECKIT_LEASE_MS",
    default: "30000",
    meaning: "How long a claim lasts without a renewal, in milliseconds.",
  },
  {
    name: "SPECKIT_HEARTBEAT_MS",
    default: "10000",
    meaning: "Between two renewals, in milliseconds; at most a third of the lease.",
  },
  {
    name: "SPECKIT_SWEEP_MS",
    default: "15000",
    meaning: "Between two looks of the sweeper, in milliseconds.",
  },
  {
    name: "SPECKIT_HOLD_MS",
    default: "600000",
    meaning:
      "How long one wake-up is held before the run is handed on, in milliseconds. With the phase's deadline it must stay below the broker's acknowledgement timeout (30 minutes).",
  },
  {
    name: "SPECKIT_PHASE_DEADLINE_MS",
    default: "900000",
    meaning: "Longest time of one phase, in milliseconds.",
  },
  {
    name: "SPECKIT_RUN_DEADLINE_MS",
    default: "1800000",
    meaning: "Longest working time of a run, in milliseconds; waiting does not count.",
  },
  {
    name: "SPECKIT_SILENCE_MS",
    default: "300000",
    meaning: "Longest time an agent may print nothing, in milliseconds.",
  },
  {
    name: "SPECKIT_ANSWER_WITHIN_MS",
    default: "604800000",
    meaning: "How long a run that has asked waits for answers, in milliseconds; then it fails.",
  },
  {
    name: "SPECKIT_ARTIFACT_RETENTION_MS",
    default: "604800000",
    meaning: "How long artifacts are kept from a run's end, in milliseconds; at least 7 days.",
  },
  {
    name: "SPECKIT_RUN_RETENTION_DAYS",
    default: "400",
    meaning:
      "How long rows of a run are kept from its end, in days; no shorter than its artifacts are (docs/artifacts.md).",
  },
  {
    name: "SPECKIT_FREE_SPACE_FLOOR_MB",
    default: "1024",
    meaning:
      "With less free space in the state folder, in MiB, a worker begins no new runs; 0: whatever there is (docs/artifacts.md).",
  },
  {
    name: "SPECKIT_WORKSPACE_MAX_BYTES",
    default: "5368709120",
    meaning: "Largest workspace, in bytes.",
  },
  {
    name: "SPECKIT_COMMIT_NAME",
    default: "speckit",
    meaning: "Author and committer of the commits.",
  },
  { name: "SPECKIT_COMMIT_EMAIL", default: "speckit@localhost", meaning: "Their address." },
  {
    name: "SPECKIT_PUBLISH_PATHS",
    default: "what Spec Kit's phases write",
    meaning:
      "What else a run may push, as patterns from the repository's root, separated by commas: `src/**`, `docs/*.md` (docs/publishing.md).",
  },
  {
    name: "SPECKIT_PUBLISH_WORKFLOWS",
    default: "off",
    meaning:
      "`on` or `off`: whether a run may push changes of `.github/workflows`, where SPECKIT_PUBLISH_PATHS allows their paths.",
  },
  {
    name: "SPECKIT_PUBLISH_MAX_FILES",
    default: "200",
    meaning: "Most files a run may push.",
  },
  {
    name: "SPECKIT_PUBLISH_MAX_FILE_BYTES",
    default: "1048576",
    meaning: "Largest file a run may push, in bytes.",
  },
  {
    name: "GITHUB_TOKEN",
    secret: true,
    meaning:
      "Credential for https://github.com, or for the host of GITHUB_API_URL: git and pull requests (docs/pull-requests.md).",
  },
  {
    name: "SPECKIT_PULL_REQUEST_HOST",
    default: "github",
    meaning:
      "`github`, or `none`: branches are pushed and no pull request is made. Repositories of other hosts, and those without a token, get none either way.",
  },
  {
    name: "SPECKIT_PULL_REQUEST_DRAFT",
    default: "on",
    meaning: "`on` or `off`: whether pull requests are drafts where a request does not say.",
  },
  {
    name: "SPECKIT_PULL_REQUEST_LABELS",
    default: "speckit",
    meaning: "Labels of every pull request, separated by commas; made where missing. `none`: none.",
  },
  {
    name: "GITHUB_API_URL",
    default: "https://api.github.com",
    meaning: "GitHub's REST API; of an Enterprise Server `https://ghe.example.org/api/v3`.",
  },
  {
    name: "GITHUB_APP_ID",
    meaning:
      "Id of a GitHub App, instead of GITHUB_TOKEN: its tokens are minted when they are needed, each for one repository. With GITHUB_APP_PRIVATE_KEY.",
  },
  {
    name: "GITHUB_APP_PRIVATE_KEY",
    secret: true,
    meaning: "The App's private key in PEM; line ends may be written as `\\n`.",
  },
  {
    name: "GITHUB_APP_INSTALLATION_ID",
    default: "looked up for each repository",
    meaning: "Id of the App's installation, where there is only one.",
  },
  {
    name: "SPECKIT_COMMIT_SIGNOFF",
    default: "off",
    meaning: "`on` or `off`: whether commits end with `Signed-off-by` and that name and address.",
  },
  {
    name: "SPECKIT_COMMIT_TRAILERS",
    meaning: "More lines for the end of commit messages, `Key: value` each.",
  },
  {
    name: "SPECKIT_COMMIT_SIGNING_KEY_FILE",
    meaning:
      "Absolute path of an ssh private key without a passphrase: commits are signed with it.",
  },
  {
    name: "SPECKIT_COMMIT_GPG_KEY",
    meaning:
      "Fingerprint of a key in GnuPG's folder (`GNUPGHOME`): commits are signed with it instead.",
  },
  {
    name: "SPECKIT_SSH_KEY_FILE",
    default: "the ssh-agent and ~/.ssh of the worker's user",
    meaning: "Absolute path of the private key for ssh remotes, such as a deploy key.",
  },
  {
    name: "SPECKIT_SSH_KNOWN_HOSTS_FILE",
    default: "known_hosts of the worker's user and of the machine",
    meaning: "Absolute path of the one file whose host keys are trusted for ssh remotes.",
  },
  {
    name: "SPECKIT_GIT_TOKEN",
    secret: true,
    meaning: "Credential for the https host SPECKIT_GIT_HOST.",
  },
  {
    name: "SPECKIT_GIT_HOST",
    meaning: "`host` or `host:port` that SPECKIT_GIT_TOKEN is for; no other host gets it.",
  },
  {
    name: "SPECKIT_GIT_USERNAME",
    default: "x-access-token",
    meaning: "User name sent with SPECKIT_GIT_TOKEN.",
  },
  {
    name: "SPECKIT_DATABASE_IDLE_STOP_MS",
    default: "30000",
    meaning: "How long the embedded database stays up after the last command, in milliseconds.",
  },
  {
    name: "STATSD_HOST",
    default: "none: nothing is counted",
    meaning: "Where metrics go, as StatsD datagrams over UDP: a host name or an IPv4 address.",
  },
  { name: "STATSD_PORT", default: "8125", meaning: "Its port." },
  {
    name: "SPECKIT_STATSD_PREFIX",
    default: "speckit",
    meaning: "First part of the name of every metric, before a dot.",
  },
  {
    name: "SPECKIT_STATSD_TAGS",
    default: "dogstatsd",
    meaning:
      "How tags are told: `dogstatsd` (`retries:1|c|#class:transient`), or `names` for servers that know no tags (`retries.transient:1|c`).",
  },
  {
    name: "SPECKIT_HEALTH_PORT",
    default: "none: no server",
    meaning: "Port of the worker's health server (`/healthz`, `/readyz`); 0 takes a free one.",
  },
  {
    name: "SPECKIT_HEALTH_HOST",
    default: "127.0.0.1",
    meaning: "Address the health server listens on.",
  },
  {
    name: "SPECKIT_HTTP_TOKEN",
    secret: true,
    default: "none: runs cannot be read over HTTP",
    meaning:
      "What callers must show to read runs at the worker's health server (docs/http-api.md); at least 16 characters.",
  },
  {
    name: "SPECKIT_LOG_LEVEL",
    default: "info; warn at a terminal command",
    meaning: "`error`, `warn`, `info` or `debug`.",
  },
  {
    name: "SPECKIT_LOG_FORMAT",
    default: "commands text; workers text where stderr is a terminal, else json",
    meaning: "`json` or `text`.",
  },
] as const satisfies readonly SettingFacts[];

export type SettingName = (typeof SETTINGS)[number]["name"];
