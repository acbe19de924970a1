import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { type Dispatcher, request } from "undici";
import type { Clock } from "../../ports/clock.ts";
import type { ModelCall, ModelUsage } from "../../ports/model-gateway.ts";
import type { Upstream } from "./gateway-options.ts";
import { type HangWatch, watchForHang } from "./hang-watch.ts";
import type { KeyPool, ProviderKey } from "./key-pool.ts";
import type { OwnAnswer } from "./own-answer.ts";
import { headersBack, headersUpstream } from "./pass-headers.ts";
import { type ErrorBody, readErrorBody } from "./read-error-body.ts";
import { sendOwnAnswer } from "./send-own-answer.ts";
import type { ProviderShape } from "./shapes/provider-shape.ts";
import type { Sighting } from "./sighting.ts";
import { watchAnswer } from "./watch-answer.ts";

/** A provider that calls go on to. */
export interface ProviderWay {
  readonly shape: ProviderShape;
  readonly upstream: Upstream;
  readonly keys: KeyPool;
}

export interface ForwardedCall {
  readonly method: "GET" | "POST";
  /** Behind the base URL, query included. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | null;
  /** Whose call it is, for the turns of keys. */
  readonly owner: string;
  /** The one it is made with first. */
  readonly key: ProviderKey;
}

export interface ForwardingParts extends ProviderWay {
  readonly dispatcher: Dispatcher;
  readonly hangMs: number;
  readonly clock: Clock;
}

/** How a call ended, but for what is known without the provider. */
export type CallEnd = Pick<
  ModelCall,
  "status" | "outcome" | "errorCode" | "resetsInMs" | "usage" | "headersMs"
>;

/** A call as it goes on. */
interface Progress {
  status: number | null;
  headersMs: number | null;
  /** As far as it was told. */
  usage: () => ModelUsage | null;
}

export interface CallListener {
  /** Aborts when the agent has hung up, or its access has ended. */
  readonly gone: AbortSignal;
  /** Called once, and waited for: the agent does not know yet. Never rejects. */
  readonly onEnd: (end: CallEnd) => Promise<void>;
  /** Called for each piece that comes. */
  readonly onHeard: () => void;
}

/**
 * Sends one call to the provider and its answer back, byte by byte as it comes.
 *
 * An answer that refuses the key, or asks it to wait, is an error and was read whole before any of it
 * is sent: where another key may be used the call is made again with that one, with each key once, and
 * the agent hears of the last answer alone. A limit that is told in the middle of a stream is the agent's
 * to try again.
 *
 * Each end is told to `onEnd` before the agent can know of it: the next call then finds it counted,
 * and a limit that was reached or a key that rests stops it. Never rejects.
 */
export async function forwardCall(
  parts: ForwardingParts,
  call: ForwardedCall,
  response: ServerResponse,
  { gone, onEnd, onHeard }: CallListener,
): Promise<void> {
  const { clock, hangMs, shape } = parts;
  const hung = new AbortController();
  using hang = watchForHang(clock, hangMs, () => hung.abort());
  const startedMs = clock.monotonicMs();
  const progress: Progress = { status: null, headersMs: null, usage: () => null };
  const signal = AbortSignal.any([gone, hung.signal]);
  const tried = new Set<ProviderKey>();
  try {
    for (let key: ProviderKey | undefined = call.key; key !== undefined; ) {
      tried.add(key);
      const answer = await send(parts, call, key, signal);
      hang.heard();
      progress.status = answer.statusCode;
      progress.headersMs = Math.round(clock.monotonicMs() - startedMs);
      const passing = { parts, answer, response, hang, gone, progress, onEnd, onHeard };
      if (answer.statusCode >= 200 && answer.statusCode <= 299) {
        return await passAnswer(passing, key);
      }
      const told = await readErrorBody(answer, hang.heard, clock.now(), shape);
      const isOfKey = await parts.keys.heed(key, { ...progress, ...told });
      key = isOfKey ? await parts.keys.another(call.owner, tried) : undefined;
      if (key === undefined) {
        // The last key's own time is of no use to who may go on with whichever is free first.
        const nextMs = isOfKey && tried.size > 1 ? await parts.keys.restsForMs() : 0;
        await passError(
          passing,
          nextMs === 0 ? told : { ...told, resetsInMs: Math.ceil(nextMs) },
          nextMs,
        );
      }
    }
  } catch (error) {
    const code = hung.signal.aborted ? null : gone.aborted ? "client_gone" : networkCode(error);
    const outcome = hung.signal.aborted ? "hung" : "cut";
    await onEnd(endOf(progress, { outcome, errorCode: code }));
    endBadly(response, outcome, { code, hangMs, shape });
  }
}

function send(
  { upstream, shape, dispatcher }: ForwardingParts,
  call: ForwardedCall,
  key: ProviderKey,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return request(`${upstream.baseUrl}${call.path}`, {
    method: call.method,
    headers: headersUpstream(call.headers, {
      ...upstream.headers,
      [shape.keyHeader]: shape.keyValue(key.apiKey),
    }),
    body: call.body,
    dispatcher,
    signal,
  });
}

function endOf(
  { status, headersMs, usage }: Progress,
  { outcome, errorCode }: Pick<CallEnd, "outcome" | "errorCode">,
): CallEnd {
  return { status, headersMs, outcome, errorCode, resetsInMs: null, usage: usage() };
}

interface Passing {
  readonly parts: ForwardingParts;
  readonly answer: Dispatcher.ResponseData;
  readonly response: ServerResponse;
  readonly hang: HangWatch;
  readonly gone: AbortSignal;
  readonly progress: Progress;
  readonly onEnd: (end: CallEnd) => Promise<void>;
  readonly onHeard: () => void;
}

async function passAnswer(passing: Passing, key: ProviderKey): Promise<void> {
  const { parts, answer, response, hang, gone, progress, onEnd, onHeard } = passing;
  const contentType = String(answer.headers["content-type"] ?? "");
  const watch = watchAnswer(contentType, parts.clock.now, parts.shape);
  progress.usage = watch.usage;
  let isEnded = false;
  const end = async (seen: Sighting | undefined): Promise<void> => {
    if (seen !== undefined && !isEnded) {
      isEnded = true;
      await onEnd({ status: progress.status, headersMs: progress.headersMs, ...seen });
      if (seen.outcome === "failed") {
        await parts.keys.heed(key, { ...seen, status: progress.status });
      }
    }
  };
  try {
    response.writeHead(answer.statusCode, headersBack(answer.headers));
    response.flushHeaders();
    for await (const chunk of answer.body) {
      hang.heard();
      onHeard();
      await end(watch.see(chunk));
      if (!response.write(chunk)) {
        hang.pause();
        await once(response, "drain", { signal: gone });
        hang.heard();
      }
    }
    await end(watch.end() ?? endOfUnread(answer));
    if (!isEnded) {
      await onEnd(endOf(progress, { outcome: "cut", errorCode: null }));
    }
    response.end();
  } catch (error) {
    if (!isEnded) {
      throw error;
    }
    // The call had come to its end before its connection did.
    response.destroy();
  }
}

/** What has no end of its own to be seen, a list of models for example, is complete when it is over. */
function endOfUnread({ headers }: Dispatcher.ResponseData): Sighting | undefined {
  return String(headers["content-type"] ?? "").includes("text/event-stream")
    ? undefined
    : { outcome: "completed", errorCode: null, resetsInMs: null, usage: null };
}

/** The key rests already when the agent hears why. */
async function passError(
  { parts, answer, response, progress, onEnd }: Passing,
  { body, errorCode, resetsInMs }: ErrorBody,
  nextMs: number,
): Promise<void> {
  await onEnd({ ...endOf(progress, { outcome: "failed", errorCode }), resetsInMs });
  // A provider, or what stands before it, may quote the key it was sent.
  const sent = parts.keys.redacted(body);
  response.writeHead(answer.statusCode, {
    ...headersOfError(answer, resetsInMs),
    ...(nextMs > 0 && nextMs <= LONGEST_RETRY_AFTER_MS
      ? { "retry-after": String(Math.ceil(nextMs / 1000)) }
      : {}),
    "content-length": sent.length,
  });
  response.end(sent);
}

/** Longest wait that is left to the agent: it keeps its worker, its slot and its deadline meanwhile. */
export const LONGEST_RETRY_AFTER_MS = 60_000;

/** The answer's own but for what has changed, and for waits that are too long to be waited for. */
function headersOfError(
  { headers }: Dispatcher.ResponseData,
  resetsInMs: number | null,
): Record<string, string | string[]> {
  const dropped = ["location", "content-length"];
  if ((resetsInMs ?? 0) > LONGEST_RETRY_AFTER_MS) {
    dropped.push("retry-after", "retry-after-ms");
  }
  return Object.fromEntries(
    Object.entries(headersBack(headers)).filter(([name]) => !dropped.includes(name)),
  );
}

/** What has begun to come can only be cut; else the agent is told. */
function endBadly(
  response: ServerResponse,
  outcome: "hung" | "cut",
  {
    code,
    hangMs,
    shape,
  }: {
    readonly code: string | null;
    readonly hangMs: number;
    readonly shape: ProviderShape;
  },
): void {
  if (response.headersSent) {
    response.destroy();
  } else if (outcome === "hung") {
    const answer: OwnAnswer = {
      status: 504,
      code: "upstream_hung",
      message: `The model provider has sent nothing for ${hangMs} ms.`,
    };
    sendOwnAnswer(response, answer, shape);
  } else {
    const answer: OwnAnswer = {
      status: 502,
      code: "upstream_unreachable",
      message: `The model provider could not be reached${code === null ? "" : ` (${code})`}.`,
    };
    sendOwnAnswer(response, answer, shape);
  }
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`: of the error or of the one behind it. */
function networkCode(error: unknown): string | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") {
      return at.code;
    }
  }
  return null;
}
