import type { IncomingMessage, ServerResponse } from "node:http";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ModelCall } from "../../ports/model-gateway.ts";
import type { AttemptAccount } from "./attempt-account.ts";
import type { BodyBudget } from "./body-budget.ts";
import {
  type CallEnd,
  type ForwardedCall,
  type ForwardingParts,
  forwardCall,
  LONGEST_RETRY_AFTER_MS,
} from "./forward-call.ts";
import type { Upstream } from "./gateway-options.ts";
import { costOf, type ModelPrices, priceOf } from "./price-of.ts";
import { type OwnAnswer, sendOwnAnswer } from "./provider-error.ts";
import { readRequestBody } from "./read-request-body.ts";

/** Where agents find the gateway. */
export const BASE_PATH = "/openai/v1";

/** An attempt's access while it is open. */
export interface OpenAccess {
  readonly attempt: JobName;
  readonly account: Pick<AttemptAccount, "refusal">;
  readonly isExpired: () => boolean;
  /** Counts an ended call. Resolves when its agent may know that it has ended; never rejects. */
  readonly record: (call: ModelCall) => Promise<void>;
  /** The provider has sent something. */
  readonly onHeard: () => void;
  /** Aborts when the access ends. */
  readonly closed: AbortSignal;
  /** Calls on their way; each is done when its agent has been answered. */
  readonly open: Set<Promise<void>>;
}

/** Why a token lets nobody in. */
export interface RefusedToken {
  /** For the log: what was wrong, never the token. */
  readonly reason: string;
  /** Whom it claims to be of. */
  readonly claimed?: JobName;
  readonly answer: OwnAnswer;
}

export interface AnsweringParts extends Omit<ForwardingParts, "upstream"> {
  /** Undefined: there is no provider to ask. */
  readonly upstream: Upstream | undefined;
  readonly admit: (token: string) => Promise<OpenAccess | RefusedToken>;
  readonly prices: ModelPrices;
  readonly bodies: BodyBudget;
  readonly logger: Logger;
}

/** A conversation has one call open at a time; each may hold a large body. */
const MAX_OPEN_CALLS = 16;

/** Answers one request of an agent: by the provider's word, or by the gateway's own. */
export async function answerRequest(
  parts: AnsweringParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = routeOf(request);
  if (route === undefined) {
    sendOwnAnswer(response, NOT_FOUND);
    return;
  }
  const access = await parts.admit(bearerOf(request));
  if ("reason" in access) {
    const { reason, claimed, answer } = access;
    parts.logger.warn("model call refused", { reason, ...claimed });
    sendOwnAnswer(response, answer);
    return;
  }
  const work = answerAttempt(parts, access, { ...route, request, response });
  const cut = (): void => void response.destroy();
  access.open.add(work);
  access.closed.addEventListener("abort", cut);
  try {
    await work;
  } finally {
    access.closed.removeEventListener("abort", cut);
    access.open.delete(work);
  }
}

type Asked = Pick<ForwardedCall, "method" | "path"> & {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

async function answerAttempt(
  parts: AnsweringParts,
  access: OpenAccess,
  { method, path, request, response }: Asked,
): Promise<void> {
  const { clock, prices, logger } = parts;
  const startedAt = clock.now();
  const startedMs = clock.monotonicMs();
  let model: string | null = null;
  let isRecorded = false;
  const record = async (end: CallEnd): Promise<void> => {
    if (isRecorded) {
      return;
    }
    isRecorded = true;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    const costUsd = costOf(priceOf(prices, model), end.usage);
    const call: ModelCall = { startedAt, model, ...end, costUsd, durationMs };
    tell(logger, access.attempt, call);
    await access.record(call);
  };
  const refuse = async (answer: OwnAnswer): Promise<void> => {
    const { code, resetsInMs = null } = answer;
    await record({ ...NOT_ASKED, errorCode: code, resetsInMs });
    sendOwnAnswer(response, answer);
  };

  if (access.isExpired()) {
    return refuse(INVALID_TOKEN);
  }
  const { upstream } = parts;
  if (upstream === undefined) {
    return refuse(NO_PROVIDER);
  }
  if (access.open.size >= MAX_OPEN_CALLS) {
    return refuse(TOO_MANY_OPEN);
  }
  const hungUp = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) {
      hungUp.abort();
    }
  });
  const gone = AbortSignal.any([access.closed, hungUp.signal]);
  using held = parts.bodies.hold(access.open);
  let body: Buffer | null = null;
  if (method === "POST") {
    const read = await readRequestBody(request, held).catch(() => undefined);
    if (read === undefined) {
      return; // It went away before it had asked for anything.
    }
    if ("refused" in read) {
      return refuse(read.refused);
    }
    body = read.bytes;
    model = read.model;
    const refusal = access.account.refusal(model);
    if (refusal !== undefined) {
      return refuse(refusal);
    }
  }
  const restsForMs = await parts.rest.restsForMs();
  if (restsForMs > 0) {
    return refuse(cooling(restsForMs, clock.random()));
  }
  const call = { method, path, headers: request.headers, body };
  await forwardCall({ ...parts, upstream }, call, response, {
    gone,
    onEnd: record,
    onHeard: access.onHeard,
  });
}

/** Two ways lead on; the provider's other services are not an agent's. */
function routeOf({
  method,
  url = "",
}: IncomingMessage): Pick<Asked, "method" | "path"> | undefined {
  const [path = "", query] = url.split("?", 2);
  const search = query === undefined ? "" : `?${query}`;
  if (method === "POST" && path === `${BASE_PATH}/responses`) {
    return { method, path: `/responses${search}` };
  }
  return method === "GET" && path === `${BASE_PATH}/models`
    ? { method, path: `/models${search}` }
    : undefined;
}

export function bearerOf({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
}

/**
 * A short rest is left to the agent, which waits for a `retry-after` itself; without one it ends at
 * once, and its run waits. The spread keeps many agents from coming back in one moment.
 */
function cooling(restsForMs: number, random: number): OwnAnswer {
  const spreadMs = restsForMs * (1 + 0.1 * random);
  return {
    status: 429,
    code: "credential_cooling",
    type: "rate_limit_error",
    message: `The model provider has asked to wait; its key rests for another ${Math.ceil(restsForMs / 1000)} s.`,
    resetsInMs: Math.ceil(restsForMs),
    ...(restsForMs <= LONGEST_RETRY_AFTER_MS
      ? { retryAfterSeconds: Math.ceil(spreadMs / 1000) }
      : {}),
  };
}

function tell(logger: Logger, { runId, phase, attempt }: JobName, call: ModelCall): void {
  const { model, status, outcome, errorCode, durationMs } = call;
  const fields = { runId, phase, attempt, model, status, outcome, errorCode, durationMs };
  if (outcome === "completed") {
    logger.debug("model call", fields);
  } else {
    logger.info("model call", fields);
  }
}

const NOT_ASKED = {
  status: null,
  outcome: "refused",
  usage: null,
  headersMs: null,
} as const;

const NOT_FOUND: OwnAnswer = {
  status: 404,
  code: "not_found",
  type: "invalid_request_error",
  message: `Only POST ${BASE_PATH}/responses and GET ${BASE_PATH}/models lead on from here.`,
};

export const INVALID_TOKEN: OwnAnswer = {
  status: 401,
  code: "invalid_token",
  type: "invalid_request_error",
  message: "The token is unknown, has expired, or its attempt is over.",
};

const NO_PROVIDER: OwnAnswer = {
  status: 401,
  code: "no_provider",
  type: "invalid_request_error",
  message: "This gateway has no key of a model provider.",
};

const TOO_MANY_OPEN: OwnAnswer = {
  status: 429,
  code: "too_many_open_calls",
  type: "rate_limit_error",
  message: `An attempt may have ${MAX_OPEN_CALLS} model calls open at a time.`,
  retryAfterSeconds: 1,
};
