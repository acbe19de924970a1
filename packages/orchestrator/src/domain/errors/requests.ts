import type { ErrorCodeFacts } from "./error-code-facts.ts";

/** Of requests, commands and whoever asks for something that there is not. */
export const REQUEST_CODES = {
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
  ARTIFACT_NOT_FOUND: {
    class: "permanent",
    meaning: "The run has no artifact of this name.",
    remedy: "`speckit artifacts list <runId>` shows those it has.",
  },
  ARTIFACTS_EXPIRED: {
    class: "permanent",
    meaning: "The run's artifacts were deleted when their time was over.",
    remedy:
      "Nothing brings them back; what the run committed is in its branch. `speckit artifacts keep <runId>` keeps those of a run that still has them; SPECKIT_ARTIFACT_RETENTION_MS says how long they are kept.",
  },
  ARTIFACT_NOT_HERE: {
    class: "permanent",
    meaning: "The artifact is on record, but not in this machine's state folder.",
    remedy:
      "Artifacts lie on the host whose worker wrote them: run the command there, or where that volume is mounted, with SPECKIT_HOME at it. If that is here, the file was removed by something other than speckit.",
  },
  ARTIFACT_DAMAGED: {
    class: "permanent",
    meaning: "An artifact's content is not what is on record of it.",
    remedy:
      "`speckit artifacts verify <runId>` names everything that is otherwise; see docs/artifacts.md.",
  },
  FILE_EXISTS: {
    class: "permanent",
    meaning: "A file that would be written is there already.",
    remedy: "Choose another folder with --to, or overwrite with --force.",
  },
  RESULT_NOT_IN_TIME: {
    class: "transient",
    meaning: "A requester waited for a result for as long as it wanted to; the run goes on.",
    remedy: "Send the same request again to be told how it stands, or look with `speckit status`.",
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
} as const satisfies Record<string, ErrorCodeFacts>;
