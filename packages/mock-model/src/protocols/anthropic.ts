import type { Answer, StreamEvent } from "../protocol/answer.ts";
import type { JsonObject } from "../protocol/json.ts";
import { USAGE_PER_CALL } from "../protocol/turn.ts";
import { errorIn, type Heard, heardIn } from "./heard.ts";
import type { Protocol } from "./protocol.ts";

/** What of the input was written into the cache: it stands beside `input_tokens`. */
const WRITTEN_TOKENS = 36;

/** Anthropic's Messages API. */
export const anthropic: Protocol = {
  base: "/anthropic",
  askedFor(method, path, body) {
    const [what] = path.split("?", 1);
    if (method === "GET") {
      return what === "/v1/models" ? "models" : undefined;
    }
    return what === "/v1/messages"
      ? body.stream === true
        ? "stream"
        : "document"
      : what === "/v1/messages/count_tokens"
        ? "count"
        : undefined;
  },
  keyOf: (headers) => headers["x-api-key"],
  complaintAbout: (headers) =>
    headers["anthropic-version"] === undefined
      ? "anthropic-version: header is required"
      : undefined,
  inItsWords(answer, asked) {
    switch (answer.kind) {
      case "silence":
        return answer;
      case "json":
        return answer.status >= 400 ? inErrorWords(answer) : answer;
      case "stream":
        return asked === "document"
          ? { kind: "json", status: 200, body: messageOf(heardIn(answer)) }
          : { ...answer, events: eventsOf(heardIn(answer)) };
    }
  },
  count: { input_tokens: USAGE_PER_CALL.inputTokens },
  models: { data: [], has_more: false, first_id: null, last_id: null },
};

const { inputTokens, cachedInputTokens, outputTokens } = USAGE_PER_CALL;

const INPUT_USAGE = {
  input_tokens: inputTokens - cachedInputTokens - WRITTEN_TOKENS,
  cache_creation_input_tokens: WRITTEN_TOKENS,
  cache_read_input_tokens: cachedInputTokens,
};

const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

function inErrorWords({ status, headers = {}, body }: Answer & { readonly kind: "json" }): Answer {
  const { code, message } = errorIn(body);
  if (code === "insufficient_quota") {
    // An account without money is told so as a wrong request.
    return error(400, "invalid_request_error", "Your credit balance is too low.", {});
  }
  const told = status === 503 ? 529 : status;
  return error(told, TYPES[told] ?? "invalid_request_error", message, {
    ...headers,
    ...(status === 429 ? limitHeaders(Number(headers["retry-after"] ?? 60)) : {}),
  });
}

function error(
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>>,
): Answer {
  const body = { type: "error", error: { type, message }, request_id: "req_1" };
  return { kind: "json", status, headers, body };
}

function limitHeaders(seconds: number): Readonly<Record<string, string>> {
  const reset = new Date(Date.now() + seconds * 1_000).toISOString();
  return {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": reset,
  };
}

function messageOf(heard: readonly Heard[]): JsonObject {
  const text = heard.map((one) => (one.what === "text" ? one.text : "")).join("");
  const calls = heard.flatMap((one) => (one.what === "call" ? [toolUse(one, one.input)] : []));
  return {
    ...BEGUN,
    content: [...(text === "" ? [] : [{ type: "text", text }]), ...calls],
    stop_reason: stopReasonOf(heard, heard.at(-1)?.what === "incomplete"),
    usage: { ...INPUT_USAGE, output_tokens: outputTokens },
  };
}

const BEGUN = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "mock",
  content: [],
  stop_reason: null,
  stop_sequence: null,
};

function eventsOf(heard: readonly Heard[]): readonly StreamEvent[] {
  let index = 0;
  let isInText = false;
  const events: StreamEvent[] = [];
  const say = (type: string, fields: JsonObject = {}): void =>
    void events.push({ type, ...fields });
  const endText = (): void => {
    if (isInText) {
      say("content_block_stop", { index });
      index += 1;
      isInText = false;
    }
  };
  const stop = (isIncomplete: boolean): void => {
    endText();
    const delta = { stop_reason: stopReasonOf(heard, isIncomplete), stop_sequence: null };
    say("message_delta", { delta, usage: { output_tokens: outputTokens } });
    say("message_stop");
  };
  for (const one of heard) {
    switch (one.what) {
      case "begun":
        say("message_start", {
          message: { ...BEGUN, usage: { ...INPUT_USAGE, output_tokens: 1 } },
        });
        say("ping");
        break;
      case "text":
        if (!isInText) {
          isInText = true;
          say("content_block_start", { index, content_block: { type: "text", text: "" } });
        }
        say("content_block_delta", { index, delta: { type: "text_delta", text: one.text } });
        break;
      case "call":
        endText();
        say("content_block_start", { index, content_block: toolUse(one, {}) });
        say("content_block_delta", {
          index,
          delta: { type: "input_json_delta", partial_json: JSON.stringify(one.input) },
        });
        say("content_block_stop", { index });
        index += 1;
        break;
      case "completed":
      case "incomplete":
        stop(one.what === "incomplete");
        break;
      case "failed":
        say("error", { error: { type: failedType(one.code), message: one.message } });
        break;
    }
  }
  return events;
}

function toolUse({ id, name }: Heard & { readonly what: "call" }, input: JsonObject): JsonObject {
  return { type: "tool_use", id, name, input };
}

function stopReasonOf(heard: readonly Heard[], isIncomplete: boolean): string {
  return isIncomplete
    ? "max_tokens"
    : heard.some(({ what }) => what === "call")
      ? "tool_use"
      : "end_turn";
}

function failedType(code: string): string {
  switch (code) {
    case "rate_limit_exceeded":
      return "rate_limit_error";
    case "server_is_overloaded":
      return "overloaded_error";
    default:
      return "api_error";
  }
}
