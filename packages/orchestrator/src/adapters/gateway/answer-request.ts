import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../../ports/logger.ts";
import type { ModelAttempt, ModelCall } from "../../ports/model-gateway.ts";
import type { AttemptAccount } from "./attempt-account.ts";
import {
  type CallEnd,
  type ForwardedCall,
  type ForwardingParts,
  forwardCall,
  LONGEST_RETRY_AFTER_MS,
} from "./forward-call.ts";
import { costOf, type ModelPrices, priceOf } from "./price-of.ts";
import { type OwnAnswer, sendOwnAnswer } from "./provider-error.ts";
import { readRequestBody } from "./read-request-body.ts";

/** Where agents find the gateway. */
export const BASE_PATH = "/openai/v1";

/** An attempt's access while it is open. */
export interface OpenAccess {
  readonly attempt: ModelAttempt;
  readonly account: AttemptAccount;
  readonly isExpired: () => boolean;
  /** Who wants to know that the provider has sent something. */
  readonly listeners: Set<() => void>;
  /** Aborts when the access ends. */
  readonly closed: AbortSignal;
  /** Calls on their way; each is done when its agent has been answered. */
  readonly open: Set<Promise<void>>;
}

export interface AnsweringParts extends ForwardingParts {
  /** @returns undefined when the token opens nothing */
  readonly accessOf: (token: string) => Promise<OpenAccess | undefined>;
  readonly prices: ModelPrices;
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
  const access = await parts.accessOf(bearerOf(request));
  if (access === undefined) {
    parts.logger.warn("model call without a valid token refused", { path: route.path });
    sendOwnAnswer(response, INVALID_TOKEN);
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
  const record = (end: CallEnd): void => {
    if (isRecorded) {
      return;
    }
    isRecorded = true;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    const costUsd = costOf(priceOf(prices, model), end.usage);
    const call: ModelCall = { startedAt, model, ...end, costUsd, durationMs };
    access.account.add(call);
    tell(logger, access.attempt, call);
  };
  const refuse = (answer: OwnAnswer): void => {
    const { code, resetsInMs = null } = answer;
    record({ ...NOT_ASKED, errorCode: code, resetsInMs });
    sendOwnAnswer(response, answer);
  };

  if (access.isExpired()) {
    return refuse(INVALID_TOKEN);
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
  let body: Buffer | null = null;
  if (method === "POST") {
    const read = await readRequestBody(request).catch(() => undefined);
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
  const onHeard = (): void => {
    for (const listener of access.listeners) {
      listener();
    }
  };
  const call = { method, path, headers: request.headers, body };
  await forwardCall(parts, call, response, { gone, onEnd: record, onHeard });
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

function bearerOf({ headers }: IncomingMessage): string {
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

function tell(logger: Logger, { runId, phase, attempt }: ModelAttempt, call: ModelCall): void {
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

const INVALID_TOKEN: OwnAnswer = {
  status: 401,
  code: "invalid_token",
  type: "invalid_request_error",
  message: "The token is unknown, has expired, or its attempt is over.",
};

const TOO_MANY_OPEN: OwnAnswer = {
  status: 429,
  code: "too_many_open_calls",
  type: "rate_limit_error",
  message: `An attempt may have ${MAX_OPEN_CALLS} model calls open at a time.`,
  retryAfterSeconds: 1,
};
