import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayRefusal } from "../../domain/gateway-refusal.ts";
import type { ModelProvider } from "../../domain/model-provider.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ModelCall } from "../../ports/model-gateway.ts";
import type { AttemptAccount } from "./attempt-account.ts";
import type { BodyBudget } from "./body-budget.ts";
import {
  type CallEnd,
  type ForwardingParts,
  forwardCall,
  LONGEST_RETRY_AFTER_MS,
  type ProviderWay,
} from "./forward-call.ts";
import type { GatewayMeter } from "./gateway-meter.ts";
import type { OwnAnswer, Refusal } from "./own-answer.ts";
import { costOf, type ModelPrices, priceOf } from "./price-of.ts";
import { readRequestBody } from "./read-request-body.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { sendOwnAnswer } from "./send-own-answer.ts";
import { openai } from "./shapes/openai.ts";
import type { ProviderShape, Route } from "./shapes/provider-shape.ts";
import { PROVIDER_SHAPES, shapeOfPath } from "./shapes/shape-of-path.ts";

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
  readonly refusal: GatewayRefusal;
  /** For the log: what was wrong, never the token. */
  readonly reason: string;
  /** Whom it claims to be of. */
  readonly claimed?: JobName;
  readonly answer: OwnAnswer;
}

export interface AnsweringParts extends Omit<ForwardingParts, keyof ProviderWay> {
  /** Those there is a key of. */
  readonly providers: ReadonlyMap<ModelProvider, ProviderWay>;
  readonly admit: (token: string) => Promise<OpenAccess | RefusedToken>;
  readonly prices: ModelPrices;
  readonly bodies: BodyBudget;
  readonly meter: GatewayMeter;
  readonly tellRefusal: RefusalLog;
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
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  // Who asks where nobody is gets an answer in the first provider's words.
  const found = shapeOfPath(path);
  const shape = found ?? openai;
  if (found !== undefined && request.method === "HEAD" && /^\/?$/.test(behind(path, found))) {
    // Some clients look whether their provider is there before they call it.
    response.writeHead(200).end();
    return;
  }
  const route = found?.routeOf(request.method ?? "", behind(path, found), query);
  if (route === undefined) {
    parts.meter.refused("not_found");
    parts.tellRefusal("warn", "model call refused", {
      refusal: "not_found",
      reason: "no way leads on from there",
    });
    sendOwnAnswer(response, NOT_FOUND, shape);
    return;
  }
  const access = await parts.admit(tokenOf(request, shape));
  if ("reason" in access) {
    const { refusal, reason, claimed, answer } = access;
    parts.meter.refused(refusal);
    parts.tellRefusal("warn", "model call refused", { refusal, reason, ...claimed });
    sendOwnAnswer(response, answer, shape);
    return;
  }
  const work = answerAttempt(parts, access, { route, shape, request, response });
  const cut = (): void => void response.destroy();
  const ended = parts.meter.begun();
  access.open.add(work);
  access.closed.addEventListener("abort", cut);
  try {
    await work;
  } finally {
    access.closed.removeEventListener("abort", cut);
    access.open.delete(work);
    ended();
  }
}

function behind(path: string, { prefix }: ProviderShape): string {
  return path.slice(prefix.length);
}

interface Asked {
  readonly route: Route;
  readonly shape: ProviderShape;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function answerAttempt(
  parts: AnsweringParts,
  access: OpenAccess,
  { route, shape, request, response }: Asked,
): Promise<void> {
  const { clock, prices, meter } = parts;
  const startedAt = clock.now();
  const startedMs = clock.monotonicMs();
  let model: string | null = route.model ?? null;
  let isRecorded = false;
  const record = async (end: CallEnd, refusal?: GatewayRefusal): Promise<void> => {
    if (isRecorded) {
      return;
    }
    isRecorded = true;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    const costUsd = costOf(priceOf(prices, model), end.usage);
    const call: ModelCall = { startedAt, model, ...end, costUsd, durationMs };
    tell(parts, access.attempt, call, refusal);
    meter.ended(shape.provider, call);
    await access.record(call);
  };
  const turnDown = async (answer: OwnAnswer, why: GatewayRefusal): Promise<void> => {
    const { code, resetsInMs = null } = answer;
    meter.refused(why);
    await record({ ...NOT_ASKED, errorCode: code, resetsInMs }, why);
    sendOwnAnswer(response, answer, shape);
  };
  const refuse = (answer: Refusal): Promise<void> => turnDown(answer, answer.code);

  if (access.isExpired()) {
    return turnDown(INVALID_TOKEN, "expired");
  }
  const way = parts.providers.get(shape.provider);
  if (way === undefined) {
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
  if (route.method === "POST") {
    const read = await readRequestBody(request, held).catch(() => undefined);
    if (read === undefined) {
      return; // It went away before it had asked for anything.
    }
    if ("refused" in read) {
      return refuse(read.refused);
    }
    body = read.bytes;
    model = route.model ?? read.model;
    const refusal = access.account.refusal(model);
    if (refusal !== undefined) {
      return refuse(refusal);
    }
  }
  const { runId: owner } = access.attempt;
  const key = await way.keys.take(owner);
  if ("restsForMs" in key) {
    return refuse(cooling(key.restsForMs, clock.random()));
  }
  const call = { ...route, headers: request.headers, body, owner, key };
  await forwardCall({ ...parts, ...way }, call, response, {
    gone,
    onEnd: (end) => record(end),
    onHeard: access.onHeard,
  });
}

/** Clients put a key where their provider has it, or where all have it. */
function tokenOf(request: IncomingMessage, { keyHeader }: ProviderShape): string {
  const own = request.headers[keyHeader];
  return keyHeader === "authorization" || typeof own !== "string" ? bearerOf(request) : own;
}

export function bearerOf({ headers }: IncomingMessage): string {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
}

/**
 * A short rest is left to the agent, which waits for a `retry-after` itself; without one it ends at
 * once, and its run waits. The spread keeps many agents from coming back in one moment.
 */
function cooling(restsForMs: number, random: number): Refusal {
  const spreadMs = restsForMs * (1 + 0.1 * random);
  return {
    status: 429,
    code: "credential_cooling",
    message: `The model provider has asked to wait; and no key may be used for another ${Math.ceil(restsForMs / 1000)} s.`,
    resetsInMs: Math.ceil(restsForMs),
    ...(restsForMs <= LONGEST_RETRY_AFTER_MS
      ? { retryAfterSeconds: Math.ceil(spreadMs / 1000) }
      : {}),
  };
}

function tell(
  { tellRefusal, logger }: Pick<AnsweringParts, "tellRefusal" | "logger">,
  { runId, phase, attempt }: JobName,
  call: ModelCall,
  refusal: GatewayRefusal | undefined,
): void {
  const { model, status, outcome, errorCode, durationMs } = call;
  const fields = { runId, phase, attempt, model, status, outcome, errorCode, durationMs };
  if (refusal !== undefined) {
    tellRefusal("info", "model call", { ...fields, refusal });
  } else if (outcome === "completed") {
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

const NOT_FOUND: Refusal = {
  status: 404,
  code: "not_found",
  message: `Only these lead on from here: ${PROVIDER_SHAPES.map(({ ways }) => ways).join("; ")}.`,
};

export const INVALID_TOKEN: OwnAnswer = {
  status: 401,
  code: "invalid_token",
  message: "The token is unknown, has expired, or its attempt is over.",
};

const NO_PROVIDER: Refusal = {
  status: 401,
  code: "no_provider",
  message: "This gateway has no key of this model provider.",
};

const TOO_MANY_OPEN: Refusal = {
  status: 429,
  code: "too_many_open_calls",
  message: `An attempt may have ${MAX_OPEN_CALLS} model calls open at a time.`,
  retryAfterSeconds: 1,
};
