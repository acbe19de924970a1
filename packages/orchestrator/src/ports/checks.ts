interface CheckFacts {
  /** What is looked at, for the documented table. */
  readonly meaning: string;
  /** What to do where it is not fine, unless the place that looks knows better. */
  readonly remedy: string;
}

/** Everything `speckit doctor` can look at. The table of `docs/doctor.md` is generated from this one. */
export const CHECKS = {
  "configuration.settings": {
    meaning: "Every variable holds what is expected of it.",
    remedy: "Correct the named variables; docs/configuration.md says what each expects.",
  },
  "configuration.certificates": {
    meaning:
      "Files of certificate authorities that variables name can be read (`NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE`, `GIT_SSL_CAINFO`).",
    remedy: "Put the file there, let this user read it, or unset the variable.",
  },
  "configuration.proxies": {
    meaning:
      "Proxies that variables name are addresses (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`).",
    remedy: "Set the variable to http://host:port, or unset it.",
  },
  "state.folder": {
    meaning:
      "The state folder takes files, renames and flushes them, and nobody else can change it.",
    remedy: "Set SPECKIT_HOME to a folder on a local disk that this user owns and can write.",
  },
  "state.space": {
    meaning:
      "Free space of the state folder's file system: twice SPECKIT_FREE_SPACE_FLOOR_MB and more.",
    remedy: "Free some space, or set SPECKIT_HOME to a folder on a larger disk.",
  },
  "database.embedded": {
    meaning:
      "Without a fleet: the embedded database, which is looked at where it runs, and not started.",
    remedy: "Set SPECKIT_HOME to a folder that this user owns and can write.",
  },
  "database.connection": {
    meaning: "PostgreSQL answers and lets the user into the database.",
    remedy: "Start PostgreSQL, or correct host and port in DATABASE_URL.",
  },
  "database.version": {
    meaning: "PostgreSQL 15 to 18.",
    remedy: "Use PostgreSQL 15 to 18.",
  },
  "database.writable": {
    meaning: "The server is no standby and takes writes.",
    remedy: "Let DATABASE_URL name the primary server, for example with target_session_attrs.",
  },
  "database.schema": {
    meaning: "The tables are as new as this program, or newer in a way that it may work with.",
    remedy: "Run `speckit migrate`; a worker does so too when it starts.",
  },
  "database.rights": {
    meaning:
      "The role may do with the tables what workers do, and make new ones where some are due.",
    remedy: "Let the role of DATABASE_URL own the tables, or grant it what is missing.",
  },
  "database.connections": {
    meaning: "There are connections enough for a worker with this many slots.",
    remedy: "Raise max_connections or the role's connection limit, or lower SPECKIT_SLOTS.",
  },
  "database.clock": {
    meaning:
      "The database's clock and this machine's agree within 5 seconds; from 30 on it is a problem.",
    remedy:
      "Set both clocks by NTP: leases go by the database's alone, but tokens for gateway and GitHub by the machines'.",
  },
  "database.durability": {
    meaning:
      "What was committed outlives a crash of the server (`fsync`, `full_page_writes`, `synchronous_commit`).",
    remedy: "Switch the named settings on: a power cut could lose runs, or the whole database.",
  },
  "database.session": {
    meaning: "The connection of the worker's session lock leads to the server, past any pooler.",
    remedy:
      "Set DATABASE_DIRECT_URL to the server's own address. Until then a killed worker's runs wait for their leases; SPECKIT_SESSION_LOCK=off says that you want that.",
  },
  "database.direct-url": {
    meaning: "`DATABASE_DIRECT_URL` leads to the same database as `DATABASE_URL`.",
    remedy: "Let DATABASE_DIRECT_URL name the same server and database, only past the pooler.",
  },
  "workers.seen": {
    meaning: "A worker has been at work lately.",
    remedy: "Start a worker (`speckit worker`), or look at the logs of those there should be.",
  },
  "runs.waiting": {
    meaning: "Runs that are due do not wait for somebody to take them.",
    remedy: "Start workers, or more of them; SPECKIT_SLOTS says how many runs each carries.",
  },
  "model.cool-downs": {
    meaning: "No credential of a model's provider rests after a limit.",
    remedy: "Wait until then, raise the provider's limit, or give several keys that take turns.",
  },
  "broker.connection": {
    meaning: "RabbitMQ answers and lets the user into the virtual host.",
    remedy: "Start RabbitMQ, or correct host and port in AMQP_URL.",
  },
  "broker.version": {
    meaning: "RabbitMQ 3.10 to 4.x.",
    remedy: "Use RabbitMQ 3.10 or newer.",
  },
  "broker.topology": {
    meaning: "Exchanges and queues are there, with our arguments.",
    remedy:
      "Delete what differs once it is empty; the next worker makes it anew. Or set another SPECKIT_AMQP_PREFIX.",
  },
  "broker.rights": {
    meaning: "The user may declare, write to and read from what begins with the prefix.",
    remedy: "Grant it by rabbitmqctl set_permissions; docs/deployment.md has the rights.",
  },
  "broker.alarms": {
    meaning: "The broker takes messages: no alarm of memory or disk.",
    remedy:
      "Give the broker memory or disk, or empty its queues; until then nothing can be published.",
  },
  "broker.acknowledgement-timeout": {
    meaning:
      "A wake-up can be held as long as hold and phase need, before the broker takes it back. AMQP does not tell the broker's own limit: half an hour unless configured.",
    remedy:
      "Compare it with `rabbitmqctl eval 'application:get_env(rabbit, consumer_timeout).'` (milliseconds).",
  },
  "broker.consumers": {
    meaning: "Somebody consumes requests and wake-ups.",
    remedy: "Start a worker; until then runs wait.",
  },
  "broker.dead-letters": {
    meaning: "No message has been refused.",
    remedy:
      "Look at them with `speckit dead list`; correct and `speckit dead replay` what should count.",
  },
  "runtime.isolation": {
    meaning: "What keeps agents apart where they are processes of this machine.",
    remedy: "Run agents in containers (SPECKIT_RUNTIME=docker).",
  },
  "docker.engine": {
    meaning: "The Docker engine answers and is new enough.",
    remedy: "Start Docker, or correct DOCKER_HOST.",
  },
  "docker.image": {
    meaning: "The engine has the job image.",
    remedy: "Build it with `npm run images`, or name another one in SPECKIT_JOB_IMAGE.",
  },
  "docker.image-check": {
    meaning: "The job image has what jobs need, as it says itself (`speckit-job --check`).",
    remedy:
      "Build it anew with `npm run images`; docs/job-image.md says what an own image must have.",
  },
  "docker.egress": {
    meaning: "A container made like a job's reaches nothing outside.",
    remedy:
      "Let nothing change the network of containers that have none: look at the engine's plugins, its default runtime and its firewall.",
  },
  "docker.gateway-image": {
    meaning: "The engine has the gateway's image, where workers start the gateway.",
    remedy: "Build it with `npm run images`, or name another one in SPECKIT_GATEWAY_IMAGE.",
  },
  "docker.gateway": {
    meaning: "The gateway of this deployment runs, and has a socket for each attempt.",
    remedy: "Remove the gateway's container, so that a worker starts one of its own version.",
  },
  "command.secrets": {
    meaning: "Secrets of the backend `command` are set.",
    remedy: "Set the variables that SPECKIT_AGENT_SECRETS names.",
  },
  "codex.executable": {
    meaning: "Codex CLI is there, in the version this was tried with.",
    remedy: "Install it, or name it in SPECKIT_CODEX_PATH.",
  },
  "codex.key": {
    meaning: "A key of the model's provider is configured.",
    remedy: "Set CODEX_API_KEY or OPENAI_API_KEY (or the same with _FILE).",
  },
  "codex.provider": {
    meaning: "The provider answers through a gateway and takes the key. No model is called.",
    remedy: "Check that the key is valid and may use the model.",
  },
  "codex.sandbox": {
    meaning: "Codex's own sandbox works here, and holds.",
    remedy: "Allow unprivileged user namespaces, or run agents in containers.",
  },
  "codex.model": {
    meaning: "The model that requests get which name none.",
    remedy: "Set SPECKIT_CODEX_MODEL.",
  },
  "git.program": {
    meaning: "git 2.31 or newer is there.",
    remedy: "Install git (2.31 or newer) and put it on the worker's PATH.",
  },
  "git.ssh-files": {
    meaning: "The key and the known hosts for ssh remotes can be read, the key by its owner alone.",
    remedy: "Correct SPECKIT_SSH_KEY_FILE and SPECKIT_SSH_KNOWN_HOSTS_FILE; `chmod 600` the key.",
  },
  "git.signing-key": {
    meaning: "The key that commits are signed with signs.",
    remedy:
      "Correct SPECKIT_COMMIT_SIGNING_KEY_FILE or SPECKIT_COMMIT_GPG_KEY; the key must have no passphrase.",
  },
  "git.push": {
    meaning:
      "Each repository that the allow-list or `--repository` names may be pushed to: git goes as far as it can without changing it.",
    remedy: "Give the token, App or key the right to write the repository's contents.",
  },
  "github.pull-requests": {
    meaning:
      "The same at GitHub: a pull request could be opened. It is asked for one from a branch to itself, which it never makes.",
    remedy:
      "Give the token or App the permission pull_requests=write, or a classic token the scope repo.",
  },
} as const satisfies Record<string, CheckFacts>;

export type CheckName = keyof typeof CHECKS;
