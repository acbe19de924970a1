import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Answer, errorAnswer } from "./protocol/answer.ts";
import { isJsonObject, type JsonObject } from "./protocol/json.ts";
import { sendAnswer } from "./protocol/send-answer.ts";
import { anthropic } from "./protocols/anthropic.ts";
import { gemini } from "./protocols/gemini.ts";
import { openai } from "./protocols/openai.ts";
import type { AskedFor, Protocol } from "./protocols/protocol.ts";
import { Complaint, type ModelRequest, type Scenario } from "./scenario.ts";
import { findScenario } from "./scenarios/find-scenario.ts";

/** A request that came, and what was answered. */
export interface RecordedRequest {
  /** Empty when the path names none. */
  readonly scenario: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when it was not a JSON object. */
  readonly body: JsonObject;
  /** When it had come in whole, in Unix milliseconds. */
  readonly atMs: number;
  /** null: no answer was given, or none yet. */
  readonly status: number | null;
  /** Why the model found that the agent has not done what it should. */
  readonly complaint?: string;
}

export interface MockModelOptions {
  /** The only key that is taken; every other one is answered with 401. Default: any, or none. */
  readonly apiKey?: string;
  /** The address it listens on. Default 127.0.0.1; containers reach the one of their bridge. */
  readonly host?: string;
}

/** A model provider on this machine. Disposing it cuts every connection. */
export interface MockModel extends AsyncDisposable {
  /**
   * The base URL at which the provider behaves as a scenario says, without a slash at its end.
   *
   * @param scenario the name of one that is built in (`findScenario`), or one of the test's own
   * @param provider whose protocol is spoken there; default `openai`
   */
  readonly baseUrl: (scenario: string | Scenario, provider?: Provider) => string;
  /** Every request so far, in order, of one scenario or of all. */
  readonly requests: (scenario?: string) => readonly RecordedRequest[];
  /** What the model has complained about: an agent that does its work leaves this empty. */
  readonly complaints: () => readonly string[];
}

const PROTOCOLS = { openai, anthropic, gemini } as const satisfies Record<string, Protocol>;
export type Provider = keyof typeof PROTOCOLS;

/**
 * Starts a stand-in for model providers on a free port of loopback, or of the address given. What it does follows from the
 * path: `POST /<scenario>/v1/responses` is OpenAI's Responses API, `/<scenario>/anthropic/v1/messages`
 * Anthropic's, `/<scenario>/gemini/v1beta/models/…` Google's. It keeps everything that was sent to it,
 * and keeps no state besides: what the model does next follows from the conversation in the request.
 * Conversations and tools are read in the words of the Responses API alone: to the others go the
 * scenarios that do not look at them.
 */
export async function startMockModel(options: MockModelOptions = {}): Promise<MockModel> {
  const own = new Map<string, Scenario>();
  const recorded: RecordedRequest[] = [];
  /** Of the calls that were put to a scenario. */
  const ordinals = new Map<string, number>();
  const server = createServer((request, response) => {
    // Who goes away in the middle of an answer is not told anything.
    response.on("error", () => {});
    void answerRequest(request, response).catch((error: unknown) =>
      response.destroy(asError(error)),
    );
  });

  async function answerRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = asObject(await text(request));
    const path = request.url ?? "";
    const { scenario, protocol, asked } = routeOf(request.method ?? "", path, body);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const base = { scenario, method: request.method ?? "", path, headers, body, atMs: Date.now() };
    const at = recorded.push({ ...base, status: null }) - 1;
    const behave = own.get(scenario) ?? findScenario(scenario);
    const ordinal = (ordinals.get(scenario) ?? 0) + 1;
    let answer: Answer;
    const complaint = protocol.complaintAbout(headers);
    if (options.apiKey !== undefined && protocol.keyOf(headers) !== options.apiKey) {
      answer = REFUSED_KEY;
    } else if (behave === undefined || asked === undefined) {
      answer = NOT_FOUND;
    } else if (complaint !== undefined) {
      answer = complained(complaint);
    } else if (asked === "models" || asked === "count") {
      answer = { kind: "json", status: 200, body: protocol[asked] };
    } else {
      ordinals.set(scenario, ordinal);
      try {
        answer = await behave({ scenario, ordinal, headers, body } satisfies ModelRequest);
      } catch (error) {
        const complaint = error instanceof Complaint ? error.message : String(error);
        recorded[at] = { ...base, status: 400, complaint };
        return sendAnswer(response, protocol.inItsWords(complained(complaint), asked));
      }
    }
    const told = protocol.inItsWords(answer, asked ?? "document");
    recorded[at] = { ...base, status: statusOf(told) };
    await sendAnswer(response, told);
  }

  const host = options.host ?? "127.0.0.1";
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl(scenario, provider = "openai") {
      const name = typeof scenario === "string" ? scenario : `own-${own.size + 1}`;
      if (typeof scenario !== "string") {
        own.set(name, scenario);
      } else if (!own.has(name) && findScenario(name) === undefined) {
        throw new Error(`There is no scenario ${JSON.stringify(name)}`);
      }
      return `http://${host}:${port}/${name}${PROTOCOLS[provider].base}`;
    },
    requests: (scenario) =>
      recorded.filter((one) => scenario === undefined || one.scenario === scenario),
    complaints: () => recorded.flatMap(({ complaint }) => complaint ?? []),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const NOT_FOUND = errorAnswer(404, {
  message: "Unknown request URL.",
  type: "invalid_request_error",
  code: "unknown_url",
});

const REFUSED_KEY = errorAnswer(401, {
  message: "Incorrect API key provided.",
  type: "invalid_request_error",
  code: "invalid_api_key",
});

/** What is no provider's path is answered in the words of the first. */
function routeOf(
  method: string,
  path: string,
  body: JsonObject,
): {
  readonly scenario: string;
  readonly protocol: Protocol;
  readonly asked: AskedFor | undefined;
} {
  const [, name = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(path) ?? [];
  const protocol = Object.values(PROTOCOLS).find(({ base }) => rest.startsWith(`${base}/`));
  const asked = protocol?.askedFor(method, rest.slice(protocol.base.length), body);
  return { scenario: asked === undefined ? "" : name, protocol: protocol ?? openai, asked };
}

function complained(message: string): Answer {
  return errorAnswer(400, {
    message: `The mock model complains: ${message}`,
    type: "invalid_request_error",
    code: "mock_complaint",
  });
}

function statusOf(answer: Answer): number | null {
  switch (answer.kind) {
    case "json":
      return answer.status;
    case "stream":
      return 200;
    case "silence":
      return null;
  }
}

function asObject(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
