import type { ErrorCode } from "./error-codes.ts";
import { type Failure, failure } from "./failure.ts";

/** What is known of a model call that did not go well. */
export interface FailedCall {
  /** HTTP status of the provider; null: no answer came. */
  readonly status: number | null;
  readonly outcome: "completed" | "failed" | "cut" | "hung" | "refused";
  /** The provider's machine code, or the gateway's own for a call it refused. */
  readonly errorCode: string | null;
  readonly resetsInMs: number | null;
  readonly model: string | null;
}

/** Codes in bodies and in `response.failed`: they say more than the status they come with. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  insufficient_quota: "QUOTA_EXHAUSTED",
  usage_limit_reached: "QUOTA_EXHAUSTED",
  quota_exceeded: "QUOTA_EXHAUSTED",
  billing_hard_limit_reached: "QUOTA_EXHAUSTED",
  billing_not_active: "QUOTA_EXHAUSTED",
  rate_limit_exceeded: "RATE_LIMITED",
  too_many_requests: "RATE_LIMITED",
  credential_cooling: "RATE_LIMITED",
  token_limit_reached: "TOKEN_LIMIT_REACHED",
  cost_limit_reached: "COST_LIMIT_REACHED",
  price_unknown: "PRICE_UNKNOWN",
  billing_error: "QUOTA_EXHAUSTED",
  rate_limit_error: "RATE_LIMITED",
  invalid_api_key: "MODEL_CREDENTIALS_REFUSED",
  authentication_error: "MODEL_CREDENTIALS_REFUSED",
  permission_error: "MODEL_CREDENTIALS_REFUSED",
  not_found_error: "MODEL_NOT_FOUND",
  model_not_found: "MODEL_NOT_FOUND",
  context_length_exceeded: "CONTEXT_TOO_LONG",
  max_output_tokens: "CONTEXT_TOO_LONG",
  server_error: "MODEL_UNAVAILABLE",
  server_is_overloaded: "MODEL_UNAVAILABLE",
  overloaded_error: "MODEL_UNAVAILABLE",
  api_error: "MODEL_UNAVAILABLE",
  timeout_error: "MODEL_UNAVAILABLE",
  invalid_prompt: "MODEL_REQUEST_REFUSED",
  content_filter: "MODEL_REQUEST_REFUSED",
  // The gateway's own besides those above.
  request_too_large: "CONTEXT_TOO_LONG",
  invalid_request_body: "MODEL_REQUEST_REFUSED",
  invalid_token: "PHASE_DEADLINE_EXCEEDED",
  no_provider: "MODEL_CREDENTIALS_MISSING",
};

/**
 * The failure a model call stands for, undefined for one that went well. The gateway's record is
 * believed before an agent's words: an agent keeps neither the status nor the time to come back.
 *
 * @param now what `resetsAt` is counted from
 */
export function modelFailure(call: FailedCall, now: Date): Failure | undefined {
  const code = codeOf(call);
  if (code === undefined) {
    return undefined;
  }
  const { resetsInMs } = call;
  const isWait = code === "RATE_LIMITED" || code === "QUOTA_EXHAUSTED";
  return failure(
    code,
    messageOf(call, code),
    isWait && resetsInMs !== null
      ? { resetsAt: new Date(now.getTime() + resetsInMs).toISOString() }
      : {},
  );
}

function codeOf({ outcome, status, errorCode }: FailedCall): ErrorCode | undefined {
  switch (outcome) {
    case "completed":
      return undefined;
    case "hung":
      return "MODEL_HUNG";
    case "cut":
      return "MODEL_UNAVAILABLE";
    default:
      return refusalCode(status, errorCode);
  }
}

/**
 * What an answer stands for that is not a good one, by what a provider says with it.
 *
 * @param status null: the provider was not asked, or has not answered
 */
export function refusalCode(status: number | null, errorCode: string | null): ErrorCode {
  const known =
    errorCode !== null && Object.hasOwn(BY_CODE, errorCode) ? BY_CODE[errorCode] : undefined;
  return known ?? byStatus(status);
}

function byStatus(status: number | null): ErrorCode {
  switch (status) {
    case 401:
    case 403:
      return "MODEL_CREDENTIALS_REFUSED";
    case 402:
      return "QUOTA_EXHAUSTED";
    case 404:
      return "MODEL_NOT_FOUND";
    case 413:
      return "CONTEXT_TOO_LONG";
    case 429:
      return "RATE_LIMITED";
    default:
      // 408, 409 and 425 are what a provider says when the same call may go well later.
      return status !== null && status >= 400 && status < 500 && ![408, 409, 425].includes(status)
        ? "MODEL_REQUEST_REFUSED"
        : "MODEL_UNAVAILABLE";
  }
}

/** Never the provider's own words: they may repeat what was sent. */
function messageOf({ outcome, status, errorCode, model }: FailedCall, code: ErrorCode): string {
  const whom = model === null ? "The model" : `The model ${JSON.stringify(model.slice(0, 100))}`;
  const what = {
    completed: "answered",
    hung: "went silent",
    cut: "broke off its answer",
    refused: "was not called",
    failed: status === null ? "did not answer" : `answered with status ${status}`,
  }[outcome];
  return `${whom} ${what}${errorCode === null ? "" : ` (${errorCode.slice(0, 100)})`}: ${SAYS[code] ?? "no answer that could be used"}`;
}

const SAYS: Readonly<Partial<Record<ErrorCode, string>>> = {
  QUOTA_EXHAUSTED: "the account's quota or usage limit is used up",
  RATE_LIMITED: "too many requests for this credential",
  TOKEN_LIMIT_REACHED: "the run's limit of tokens is reached",
  COST_LIMIT_REACHED: "the run's limit of cost is reached",
  PRICE_UNKNOWN: "the run has a limit of cost, and this model has no price",
  MODEL_CREDENTIALS_REFUSED: "the key or its rights were refused",
  MODEL_NOT_FOUND: "it does not exist, or this key may not use it",
  CONTEXT_TOO_LONG: "more text than it takes or may give",
  MODEL_REQUEST_REFUSED: "the request was refused",
  MODEL_UNAVAILABLE: "the provider is overloaded or out of reach",
  MODEL_HUNG: "no byte for longer than the gateway waits",
  MODEL_CREDENTIALS_MISSING: "the gateway has no key of a provider",
  PHASE_DEADLINE_EXCEEDED: "the time of the attempt is over",
};
