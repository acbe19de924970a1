import type { FailureClass } from "./failure.ts";

interface ErrorCodeFacts {
  readonly class: FailureClass;
  /** When it happens, for the documented table. */
  readonly meaning: string;
  /** What a person should do, unless the place that raises it knows better. */
  readonly remedy: string;
}

/** Every error code there is. `docs/errors.md` is generated from this table. */
export const ERROR_CODES = {
  REQUEST_INVALID: {
    class: "bad_message",
    meaning: "A request does not have the documented shape.",
    remedy: "Correct the named field; docs/messages.md shows every field.",
  },
  REQUEST_NOT_JSON: {
    class: "bad_message",
    meaning: "A request's body is not a JSON document in UTF-8.",
    remedy: "Send one JSON object, UTF-8 encoded.",
  },
  REQUEST_TOO_LARGE: {
    class: "bad_message",
    meaning: "A request is larger than 256 kB.",
    remedy: "Shorten the sentence; put long material into the repository.",
  },
  REQUEST_CONFLICT: {
    class: "bad_message",
    meaning: "The same runId or idempotencyKey was used before with another request.",
    remedy: "Use a new key for a new request, or repeat the first request unchanged.",
  },
  WAKE_UP_UNREADABLE: {
    class: "bad_message",
    meaning: "A message on an internal work queue is not a wake-up.",
    remedy: "Publish requests to the exchange speckit.requests; the work queues are internal.",
  },
  REPOSITORY_INVALID: {
    class: "bad_message",
    meaning: "`repository` is not owner/name, an https or ssh URL, or an allowed path.",
    remedy: "Use owner/name, https://host/path, ssh://git@host/path or git@host:path.",
  },
  REPOSITORY_NOT_ALLOWED: {
    class: "bad_message",
    meaning: "The repository is outside this deployment's allow-list.",
    remedy: "Ask the operator to add it to SPECKIT_REPOSITORIES.",
  },
  BRANCH_BUSY: {
    class: "bad_message",
    meaning: "Another live run owns the named branch of this repository.",
    remedy: "Wait for that run, or name another branch.",
  },
  BRANCH_DIVERGED: {
    class: "permanent",
    meaning: "The branch exists at the remote and is not an ancestor of what would be pushed.",
    remedy: "Name another branch, or delete the one at the remote.",
  },
  BASE_BRANCH_NOT_FOUND: {
    class: "permanent",
    meaning: "`baseBranch` does not exist at the remote.",
    remedy: "Name an existing branch, or leave baseBranch out to use the remote's default.",
  },
  REPOSITORY_NOT_FOUND: {
    class: "permanent",
    meaning: "There is no git repository at the remote, or these credentials may not see it.",
    remedy: "Check the address, and that the credential may read it.",
  },
  REPOSITORY_EMPTY: {
    class: "permanent",
    meaning: "The remote has no commit.",
    remedy: "Push a first commit with Spec Kit's files to it.",
  },
  GIT_CREDENTIALS_MISSING: {
    class: "permanent",
    meaning: "The remote asks for credentials and none are configured for its host.",
    remedy: "Set GITHUB_TOKEN, or SPECKIT_GIT_TOKEN with SPECKIT_GIT_HOST for another host.",
  },
  GIT_CREDENTIALS_REFUSED: {
    class: "permanent",
    meaning: "The remote refused the configured credentials.",
    remedy: "Check that the token is valid and may read and write the repository.",
  },
  GIT_UNREACHABLE: {
    class: "transient",
    meaning: "The remote could not be reached, or answered with a server error.",
    remedy: "It is retried; check the network, proxy and certificate settings if it persists.",
  },
  GIT_FAILED: {
    class: "transient",
    meaning: "A git command failed in a way that has no name yet.",
    remedy: "It is retried; the log has git's own words.",
  },
  PUSH_REFUSED: {
    class: "permanent",
    meaning: "The remote refused the push: no right to write, or a hook said no.",
    remedy:
      "Give the credential write access, or name a branch it may push; bundle and patch are kept.",
  },
  PULL_REQUEST_HOST_LIMITED: {
    class: "transient",
    meaning:
      "The git host limits how often its API may be used, for longer than is waited inside one call.",
    remedy:
      "It is retried; the message says until when the limit lasts. Give each deployment a token or an App of its own if it persists.",
  },
  PULL_REQUEST_HOST_UNAVAILABLE: {
    class: "transient",
    meaning: "The git host's API could not be reached, or answered with a server error.",
    remedy:
      "It is retried; check the host's status page, GITHUB_API_URL, proxy and certificate settings if it persists.",
  },
  PULL_REQUEST_REFUSED: {
    class: "permanent",
    meaning:
      "The git host refused the pull request itself: validation, or a rule of the repository.",
    remedy:
      "The host's own words are in the message. The branch is pushed: open the pull request by hand, or put the cause right and `speckit retry`.",
  },
  TOKEN_SCOPE_MISSING: {
    class: "permanent",
    meaning:
      "The token is valid, but lacks a scope or permission that is needed; the message names it.",
    remedy:
      "Give the token or the App's installation the named scope; docs/pull-requests.md lists what is needed; bundle and patch are kept.",
  },
  REPOSITORY_ARCHIVED: {
    class: "permanent",
    meaning: "The repository is archived, and so read-only.",
    remedy: "Unarchive it at its host, or name another repository; bundle and patch are kept.",
  },
  REPOSITORY_MOVED: {
    class: "permanent",
    meaning: "The repository was renamed or transferred.",
    remedy: "Use the repository's new address: its old page at the host leads there.",
  },
  PUBLISH_REFUSED: {
    class: "permanent",
    meaning:
      "The run's commits hold what may not be pushed: another path, a workflow, a large file, a secret.",
    remedy:
      "The findings name each; nothing was pushed, bundle and patch are kept. Make a found secret invalid; allow a path by SPECKIT_PUBLISH_PATHS, sizes by SPECKIT_PUBLISH_MAX_FILES and SPECKIT_PUBLISH_MAX_FILE_BYTES, workflows by SPECKIT_PUBLISH_WORKFLOWS.",
  },
  BRANCH_PROTECTED: {
    class: "permanent",
    meaning: "The remote refused the push because a rule protects the branch.",
    remedy:
      "Name a branch that no rule covers, or let the credential's owner pass the rule; bundle and patch are kept.",
  },
  HOST_KEY_UNKNOWN: {
    class: "permanent",
    meaning: "The ssh server's key is not among the known ones.",
    remedy:
      "Take the server's public key from its operator and add it to the file SPECKIT_SSH_KNOWN_HOSTS_FILE names, or to known_hosts of the worker's user.",
  },
  HOST_KEY_CHANGED: {
    class: "permanent",
    meaning: "The ssh server shows another key than the known one: a new key, or another server.",
    remedy:
      "Ask the server's operator. If the key is new, replace the old one in the file of known hosts.",
  },
  COMMIT_NOT_SIGNED: {
    class: "permanent",
    meaning: "A commit could not be signed with the configured key.",
    remedy:
      "Check SPECKIT_COMMIT_SIGNING_KEY_FILE or SPECKIT_COMMIT_GPG_KEY: the key must be there, and have no passphrase.",
  },
  NOT_A_SPEC_KIT_PROJECT: {
    class: "permanent",
    meaning: "The base commit has no Spec Kit files, or not in the named projectDirectory.",
    remedy:
      "Run `specify init --here --force --integration codex --script sh` in the repository, commit and push.",
  },
  SPEC_KIT_LAYOUT_UNSUPPORTED: {
    class: "permanent",
    meaning: "The base commit has Spec Kit files, but no skill or command file for an asked phase.",
    remedy:
      "Run `specify init --here --force --integration codex --script sh` with a current Spec Kit, commit and push.",
  },
  SPEC_KIT_INIT_FAILED: {
    class: "permanent",
    meaning: "SPECKIT_SPECIFY_INIT is on, but the repository could not be made a Spec Kit project.",
    remedy:
      "Install Spec Kit's command for the worker (`uv tool install specify-cli`) or name it in SPECKIT_SPECIFY_COMMAND; or run `specify init --here --force --integration codex --script sh` in the repository, commit and push.",
  },
  PROJECT_DIRECTORY_NEEDED: {
    class: "permanent",
    meaning: "The base commit has several Spec Kit projects, and the request names none of them.",
    remedy: "Name one of the listed folders as `projectDirectory` (`--project-directory`).",
  },
  DOCUMENT_MISSING: {
    class: "permanent",
    meaning: "An asked phase builds on a document that the base commit does not have.",
    remedy:
      "Ask for the phase that writes it as well, or name the branch and `featureDirectory` that have it.",
  },
  AGENT_UNKNOWN: {
    class: "bad_message",
    meaning: "The request names an agent backend this deployment does not have.",
    remedy: "Use one of the configured backends.",
  },
  AGENT_NOT_STARTED: {
    class: "permanent",
    meaning: "The agent's executable could not be started.",
    remedy: "Install it, or correct the path in the backend's configuration.",
  },
  AGENT_FAILED: {
    class: "transient",
    meaning: "The agent exited with a code other than 0.",
    remedy: "It is retried; read the phase's stderr artifact for the agent's own words.",
  },
  AGENT_KILLED: {
    class: "transient",
    meaning: "The agent was ended by a signal that speckit did not send.",
    remedy: "It is retried; check the memory of the machine.",
  },
  RATE_LIMITED: {
    class: "rate_limited",
    meaning: "The model provider limits how fast its key may be used.",
    remedy:
      "Nothing to do: the run goes on when the limit ends. For more, raise it at the provider or run fewer slots.",
  },
  QUOTA_EXHAUSTED: {
    class: "quota",
    meaning: "The key's quota or credit at the model provider is used up.",
    remedy: "Add credit or raise the quota at the provider; the run looks again by itself.",
  },
  QUOTA_WAIT_TOO_LONG: {
    class: "permanent",
    meaning:
      "The model provider's limits would keep a run waiting for more than 24 hours, all told, or have ended 20 starts of a phase.",
    remedy: "Raise the limit or the quota at the provider, then `speckit retry` the run.",
  },
  MODEL_CREDENTIALS_REFUSED: {
    class: "permanent",
    meaning: "The model provider refused the configured key.",
    remedy:
      "Check the key (CODEX_API_KEY or OPENAI_API_KEY), and its organisation and project at the provider.",
  },
  MODEL_NOT_FOUND: {
    class: "permanent",
    meaning: "The model provider does not have the model, or the key may not use it.",
    remedy: "Name a model the key may use.",
  },
  MODEL_REQUEST_REFUSED: {
    class: "permanent",
    meaning: "The model provider refused a call as wrong, and would refuse it again.",
    remedy:
      "Check model and options of the request; the provider's own code is in the message, its words in the phase's events.",
  },
  MODEL_UNAVAILABLE: {
    class: "transient",
    meaning: "The model provider could not be reached, broke off, or answered with a server error.",
    remedy: "It is retried; check the provider's status page, proxy and certificate settings.",
  },
  MODEL_HUNG: {
    class: "transient",
    meaning: "The model provider took a call and then sent nothing.",
    remedy: "It is retried; check the network between worker and provider if it persists.",
  },
  CONTEXT_TOO_LONG: {
    class: "permanent",
    meaning: "What the agent has gathered no longer fits into the model's context window.",
    remedy: "Ask for less in one run, or name a model with a larger context window.",
  },
  TOKEN_LIMIT_REACHED: {
    class: "permanent",
    meaning: "The run has used as many tokens as its limit allows.",
    remedy: "Raise limits.maxTokens, or ask for less in one run; what was made so far is kept.",
  },
  COST_LIMIT_REACHED: {
    class: "permanent",
    meaning: "The run has cost as much as its limit allows.",
    remedy: "Raise limits.maxUsd, or ask for less in one run; what was made so far is kept.",
  },
  PRICE_UNKNOWN: {
    class: "permanent",
    meaning: "The run has a limit in USD, and the price of its model is not configured.",
    remedy: "Configure the model's price, or limit the run by limits.maxTokens.",
  },
  MODEL_NOT_ALLOWED: {
    class: "bad_message",
    meaning: "The request names a model that this deployment does not allow.",
    remedy: "Name one of the allowed models, or leave the model out.",
  },
  AGENT_SETUP_REFUSED: {
    class: "permanent",
    meaning: "The agent refused its command line or configuration before it called a model.",
    remedy:
      "Check the agent's version: the phase's environment.json has it, its stderr.log the agent's own words.",
  },
  AGENT_OPTION_REFUSED: {
    class: "bad_message",
    meaning: "`agent.options` names an option or a value that this deployment does not allow.",
    remedy: "Use an allowed option and one of its values, or leave it out.",
  },
  MODEL_CREDENTIALS_MISSING: {
    class: "permanent",
    meaning: "No key is configured for the model's provider.",
    remedy: "Set CODEX_API_KEY or OPENAI_API_KEY (or the same with _FILE).",
  },
  PHASE_DEADLINE_EXCEEDED: {
    class: "timeout",
    meaning: "A phase ran longer than its deadline.",
    remedy: "Raise SPECKIT_PHASE_DEADLINE_MS, or ask for less in one run.",
  },
  AGENT_SILENT: {
    class: "timeout",
    meaning: "The agent printed nothing for longer than the silence limit.",
    remedy: "Raise SPECKIT_SILENCE_MS if the agent is slow rather than stuck.",
  },
  RUN_DEADLINE_EXCEEDED: {
    class: "permanent",
    meaning: "The run used up its working time.",
    remedy: "Raise limits.deadlineMs or SPECKIT_RUN_DEADLINE_MS, or ask for less in one run.",
  },
  TOO_MANY_STARTS: {
    class: "permanent",
    meaning: "A phase was started 20 times without an end.",
    remedy: "Look for what ends the workers: their logs, memory and restarts.",
  },
  POSTCONDITION_FAILED: {
    class: "invalid_output",
    meaning: "The agent exited with 0, but its files do not fulfil the phase's postconditions.",
    remedy: "It is retried with the findings in the prompt; the findings name file and check.",
  },
  WORKSPACE_TOO_LARGE: {
    class: "permanent",
    meaning: "The agent's changes, the workspace or the checkpoint are over their limit.",
    remedy: "Keep generated files out of the tree (.gitignore), or raise the limit.",
  },
  SECRET_IN_TREE: {
    class: "invalid_output",
    meaning: "The agent has written a secret of its environment into a file of the tree.",
    remedy:
      "It is tried again with the finding; nothing of the tree is kept or pushed. An agent that goes on doing so must not have the secret.",
  },
  WORKSPACE_REFUSED: {
    class: "invalid_output",
    meaning: "The agent left something in the tree that is never committed.",
    remedy:
      "The findings name each path: only regular files and symlinks inside the tree are taken.",
  },
  DISK_FULL: {
    class: "transient",
    meaning: "There is no space left for workspaces or artifacts.",
    remedy: "Free space in the state folder (SPECKIT_HOME).",
  },
  SUPERVISOR_CRASHED: {
    class: "transient",
    meaning: "Worker after worker died while it looked after this attempt.",
    remedy:
      "It is retried a few times; look into the workers' logs for what ends them, the agent's output first.",
  },
  CONTAINER_LOST: {
    class: "host_lost",
    meaning: "The container of an attempt is no more, or was stopped with its engine.",
    remedy: "Nothing to do: the phase starts again, and no budget is spent.",
  },
  ENGINE_LOST: {
    class: "host_lost",
    meaning:
      "The engine that has the container of an attempt was not heard of for 90 s: the run is moved.",
    remedy:
      "Nothing to do: the phase starts again after a fence, from the last good phase, and no budget is spent.",
  },
  AGENT_OUT_OF_MEMORY: {
    class: "transient",
    meaning: "The agent's container used up its memory.",
    remedy: "Give jobs more memory, or ask for less at once.",
  },
  AGENT_OUTPUT_TOO_LARGE: {
    class: "transient",
    meaning: "The agent printed more than a job may.",
    remedy: "See stdout.log for what it repeats.",
  },
  QUESTIONS_OPEN: {
    class: "needs_input",
    meaning: "The specification has open questions, and the request asks to pause on them.",
    remedy: "Answer them: `speckit answer <run> <answer> …`, one answer for each question.",
  },
  QUESTIONS_UNANSWERED: {
    class: "permanent",
    meaning: "Nobody has answered the open questions in time.",
    remedy: "Retry the run to be asked again, or submit it with `onQuestions` set to `assume`.",
  },
  APPROVAL_REJECTED: {
    class: "needs_input",
    meaning: "A person has rejected a phase's result, which the request asks to pause after.",
    remedy: "Nothing to do: the phase starts again with the comment in its prompt.",
  },
  APPROVAL_MISSING: {
    class: "permanent",
    meaning: "Nobody has approved or rejected a phase's result in time.",
    remedy: "Retry the run to have the phase done again, or submit it without `pauseAfter`.",
  },
  WORKER_REPLACED: {
    class: "interrupted",
    meaning: "The worker stopped or was replaced while the phase ran.",
    remedy: "Nothing to do: the phase starts again on another worker.",
  },
  RUN_CANCELLED: {
    class: "permanent",
    meaning: "The run was cancelled.",
    remedy: "Submit it again if it is still wanted.",
  },
  RUN_FENCED: {
    class: "fenced",
    meaning: "Another worker owns the run now; this one writes nothing more.",
    remedy: "Nothing to do.",
  },
  DEAD_LETTER_NOT_FOUND: {
    class: "permanent",
    meaning: "There is no message of this id in the dead-letter queue.",
    remedy: "`speckit dead list` shows what is there.",
  },
  COMMAND_CONFLICT: {
    class: "bad_message",
    meaning: "The same commandId was used before with another command.",
    remedy: "Use a new commandId for a new command.",
  },
  ANSWER_REFUSED: {
    class: "permanent",
    meaning: "The run asks nothing now, asks another round, or not so many questions.",
    remedy: "`speckit status` shows the open questions and their round.",
  },
  DECISION_REFUSED: {
    class: "permanent",
    meaning: "No result of the run waits for approval now, or another one does.",
    remedy: "`speckit status` shows what waits for approval.",
  },
  RUN_ENDED: {
    class: "permanent",
    meaning: "The command needs a run that is not over.",
    remedy: "`speckit retry` makes a new run from the last good phase of one that failed.",
  },
  RUN_NOT_RETRYABLE: {
    class: "permanent",
    meaning: "Only a run that has failed or was cancelled can be retried.",
    remedy: "Wait for its end, or submit a new request.",
  },
  RUN_NOT_PUBLISHABLE: {
    class: "permanent",
    meaning:
      "Only a dry run, or a run that ended after its last agent phase, has something left to publish.",
    remedy: "Wait for its end, retry it, or submit a new request.",
  },
  RUN_NOT_FOUND: {
    class: "permanent",
    meaning: "There is no run with this id.",
    remedy: "`speckit list` shows the runs of this database.",
  },
  RESULT_NOT_IN_TIME: {
    class: "transient",
    meaning: "A requester waited for a result for as long as it wanted to; the run goes on.",
    remedy: "Send the same request again to be told how it stands, or look with `speckit status`.",
  },
  CONFIGURATION_INVALID: {
    class: "permanent",
    meaning: "A setting has a value that cannot be used.",
    remedy: "Correct the named variable; docs/configuration.md lists them all.",
  },
  DATABASE_UNAVAILABLE: {
    class: "transient",
    meaning: "PostgreSQL did not answer.",
    remedy: "Check that it runs and that DATABASE_URL is right; work goes on when it is back.",
  },
  GATEWAY_NOT_STARTED: {
    class: "transient",
    meaning: "The container that leads jobs to their model has ended, or does not serve.",
    remedy:
      "It is retried; its own words are in the message. docs/gateway.md says how to start one by hand.",
  },
  GATEWAY_TOO_OLD: {
    class: "transient",
    meaning: "The gateway on the engine has no socket for each attempt, as a job needs one.",
    remedy:
      "It is retried. Remove the gateway's container, so that a worker starts one of its own release, or start the newer one that docs/gateway.md tells of.",
  },
  BROKER_UNAVAILABLE: {
    class: "transient",
    meaning: "RabbitMQ did not answer or did not confirm.",
    remedy: "Check that it runs and that AMQP_URL is right; work goes on when it is back.",
  },
  HTTP_API_OFF: {
    class: "permanent",
    meaning: "Runs were asked for over HTTP, and the worker has no token that callers must show.",
    remedy:
      "Set SPECKIT_HTTP_TOKEN (or SPECKIT_HTTP_TOKEN_FILE) for the worker to turn its HTTP interface on; docs/http-api.md.",
  },
  HTTP_TOKEN_REFUSED: {
    class: "permanent",
    meaning: "A request over HTTP showed no token, or another one.",
    remedy: "Send the worker's SPECKIT_HTTP_TOKEN as `Authorization: Bearer <token>`.",
  },
  HTTP_PATH_UNKNOWN: {
    class: "bad_message",
    meaning: "There is nothing at the path that was asked for over HTTP.",
    remedy: "GET /v1/openapi.json lists what there is.",
  },
  HTTP_METHOD_REFUSED: {
    class: "bad_message",
    meaning: "A request over HTTP was neither GET nor HEAD.",
    remedy: "The HTTP interface only reads; commands go by `speckit` or through the broker.",
  },
  HTTP_BUSY: {
    class: "transient",
    meaning: "More requests over HTTP wait for the database than a worker keeps.",
    remedy: "Ask again a little later, and less often; every worker answers the same.",
  },
  ENGINE_UNAVAILABLE: {
    class: "transient",
    meaning: "The Docker engine did not answer.",
    remedy: "Check that it runs and that DOCKER_HOST names it; work goes on when it is back.",
  },
  ENGINE_FORBIDDEN: {
    class: "permanent",
    meaning: "The Docker engine's socket or certificates may not be used by this user.",
    remedy:
      "Add the user to the group `docker` and log in again, or give the container the socket's group; with TLS, check DOCKER_CERT_PATH.",
  },
  ENGINE_TOO_OLD: {
    class: "permanent",
    meaning: "The Docker engine speaks an older API than 1.41 (Docker 20.10).",
    remedy: "Upgrade Docker to 20.10 or newer.",
  },
  ENGINE_NO_SPACE: {
    class: "transient",
    meaning: "The Docker engine has no space left, or less than the configured floor.",
    remedy:
      "Free space on the engine's disk: `docker system df` shows what uses it, `docker image prune` removes images nobody uses.",
  },
  ENGINE_FAILED: {
    class: "transient",
    meaning: "The Docker engine refused something in a way that has no name yet.",
    remedy: "It is retried; the message has the engine's own words.",
  },
  IMAGE_MISSING: {
    class: "permanent",
    meaning:
      "The Docker engine does not have the job's or the gateway's image, and it could not be pulled.",
    remedy:
      "Build it with `npm run images`, or name another one (SPECKIT_JOB_IMAGE, SPECKIT_GATEWAY_IMAGE).",
  },
  IMAGE_UNUSABLE: {
    class: "permanent",
    meaning: "The job image lacks something that jobs need.",
    remedy:
      "Build it anew with `npm run images`; docs/job-image.md says what an own image must have.",
  },
  GATEWAY_UNREACHABLE: {
    class: "transient",
    meaning: "A job could not reach its gateway to ask for its start.",
    remedy: "It is retried; look at the gateway's container and its log.",
  },
  EGRESS_OPEN: {
    class: "permanent",
    meaning:
      "A job's container could reach something besides its gateway. Its agent was not started, and no model was called.",
    remedy:
      "Find out what gives it a network: the engine's configuration, a plugin, or something that changes containers; docs/security.md says how to look.",
  },
  EMBEDDED_DATABASE_UNSUPPORTED: {
    class: "permanent",
    meaning: "There are no embedded PostgreSQL binaries for this system.",
    remedy: "Set DATABASE_URL and AMQP_URL to services of your own.",
  },
  EMBEDDED_DATABASE_FAILED: {
    class: "permanent",
    meaning: "The embedded PostgreSQL server could not be started.",
    remedy: "Read postgres/server.log in the state folder, or set SPECKIT_HOME to another one.",
  },
  SERVICE_REFUSED: {
    class: "permanent",
    meaning: "PostgreSQL or RabbitMQ refused the configured user, database or virtual host.",
    remedy: "Correct the user, password, database or virtual host in the URL.",
  },
  DATABASE_TOO_NEW: {
    class: "permanent",
    meaning:
      "The database was migrated by a newer version, in a way that this one cannot work with.",
    remedy: "Update this program to the version of the others.",
  },
  TOPOLOGY_CONFLICT: {
    class: "permanent",
    meaning: "RabbitMQ has an exchange or queue of the same name with other settings.",
    remedy: "Delete the named queue once it is empty, or set another name prefix.",
  },
  INTERNAL_ERROR: {
    class: "transient",
    meaning: "An error nobody has named yet: a bug, or a fault outside.",
    remedy: "It is retried; please report it with the worker's log.",
  },
} as const satisfies Record<string, ErrorCodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
