import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { type Dispatcher, request } from "undici";
import type { Clock } from "../../ports/clock.ts";
import type { ModelCall } from "../../ports/model-gateway.ts";
import { type CredentialRest, coolDownReason } from "./credential-rest.ts";
import type { Upstream } from "./gateway-options.ts";
import { type HangWatch, watchForHang } from "./hang-watch.ts";
import { headersBack, headersUpstream } from "./pass-headers.ts";
import { sendOwnAnswer } from "./provider-error.ts";
import { readErrorBody, redactedBody } from "./read-error-body.ts";
import type { Sighting } from "./sighting.ts";
import { watchAnswer } from "./watch-answer.ts";

export interface ForwardedCall {
  readonly method: "GET" | "POST";
  /** Behind the base URL, query included. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer | null;
}

export interface ForwardingParts {
  readonly upstream: Upstream;
  readonly dispatcher: Dispatcher;
  readonly rest: CredentialRest;
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
 * Each end is told to `onEnd` before the agent can know of it: the next call then finds it counted,
 * and a limit that was reached or a key that rests stops it. Never rejects.
 */
export async function forwardCall(
  parts: ForwardingParts,
  call: ForwardedCall,
  response: ServerResponse,
  { gone, onEnd, onHeard }: CallListener,
): Promise<void> {
  const { clock, hangMs, upstream } = parts;
  const hung = new AbortController();
  using hang = watchForHang(clock, hangMs, () => hung.abort());
  const startedMs = clock.monotonicMs();
  const progress: Progress = { status: null, headersMs: null };
  try {
    const answer = await request(`${upstream.baseUrl}${call.path}`, {
      method: call.method,
      headers: headersUpstream(call.headers, upstream.headers),
      body: call.body,
      dispatcher: parts.dispatcher,
      signal: AbortSignal.any([gone, hung.signal]),
    });
    hang.heard();
    progress.status = answer.statusCode;
    progress.headersMs = Math.round(clock.monotonicMs() - startedMs);
    const passing = { parts, answer, response, hang, gone, progress, onEnd, onHeard };
    await (answer.statusCode >= 200 && answer.statusCode <= 299
      ? passAnswer(passing)
      : passError(passing));
  } catch (error) {
    const code = hung.signal.aborted ? null : gone.aborted ? "client_gone" : networkCode(error);
    const outcome = hung.signal.aborted ? "hung" : "cut";
    await onEnd({ ...progress, outcome, errorCode: code, resetsInMs: null, usage: null });
    endBadly(response, outcome, code, hangMs);
  }
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

async function passAnswer(passing: Passing): Promise<void> {
  const { parts, answer, response, hang, gone, progress, onEnd, onHeard } = passing;
  const watch = watchAnswer(String(answer.headers["content-type"] ?? ""), parts.clock.now);
  let isEnded = false;
  const end = async (seen: Sighting | undefined): Promise<void> => {
    if (seen !== undefined && !isEnded) {
      isEnded = true;
      await onEnd({ ...progress, ...seen });
      await coolDown(parts.rest, progress, seen);
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
      await onEnd({ ...progress, outcome: "cut", errorCode: null, resetsInMs: null, usage: null });
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

/** An error is small: it is read first, so that the key rests before the agent hears why. */
async function passError({
  parts,
  answer,
  response,
  hang,
  progress,
  onEnd,
}: Passing): Promise<void> {
  const told = await readErrorBody(answer, hang.heard, parts.clock.now());
  const { errorCode, resetsInMs } = told;
  await onEnd({ ...progress, outcome: "failed", errorCode, resetsInMs, usage: null });
  await coolDown(parts.rest, progress, told);
  const body = redactedBody(told.body, parts.upstream.apiKey);
  response.writeHead(answer.statusCode, {
    ...headersOfError(answer, resetsInMs),
    "content-length": body.length,
  });
  response.end(body);
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

async function coolDown(
  rest: CredentialRest,
  { status }: Progress,
  { errorCode, resetsInMs }: Pick<CallEnd, "errorCode" | "resetsInMs">,
): Promise<void> {
  const reason = coolDownReason(status, errorCode);
  if (reason !== undefined) {
    await rest.coolDown(resetsInMs, reason);
  }
}

/** What has begun to come can only be cut; else the agent is told. */
function endBadly(
  response: ServerResponse,
  outcome: "hung" | "cut",
  code: string | null,
  hangMs: number,
): void {
  if (response.headersSent) {
    response.destroy();
  } else if (outcome === "hung") {
    sendOwnAnswer(response, {
      status: 504,
      code: "upstream_hung",
      type: "server_error",
      message: `The model provider has sent nothing for ${hangMs} ms.`,
    });
  } else {
    sendOwnAnswer(response, {
      status: 502,
      code: "upstream_unreachable",
      type: "server_error",
      message: `The model provider could not be reached${code === null ? "" : ` (${code})`}.`,
    });
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
