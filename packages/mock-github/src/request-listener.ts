import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { failed, type MockAnswer, refused } from "./answer.ts";
import { answerCall } from "./answer-call.ts";
import { answerGit, isGitRequest } from "./answer-git.ts";
import type { Answers } from "./answers.ts";
import { checkAnswer, checkRequest } from "./description/check-call.ts";
import { findOperation } from "./description/find-operation.ts";
import type { OpenApiDocument } from "./description/load-description.ts";
import { type PlannedFailure, takeFailure } from "./failures.ts";
import type { SeenCall } from "./mock-github.ts";
import type { MockState } from "./state.ts";

interface Parts {
  readonly state: MockState;
  readonly document: OpenApiDocument;
  readonly answers: Answers;
  readonly folder: string;
  readonly url: string;
  readonly apiUrl: string;
  readonly calls: SeenCall[];
  readonly violations: string[];
  readonly failures: PlannedFailure[];
  readonly changes: ReadonlyMap<string, (body: unknown) => unknown>;
}

/** Git's requests go to git, all others are calls of the API. */
export function requestListener(parts: Parts): RequestListener {
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", parts.url);
    if (isGitRequest(pathname)) {
      answerGit(parts.state, parts.folder, parts.url, request, response);
      return;
    }
    answerApi(parts, request, response).catch((error: unknown) => {
      parts.violations.push(`mock-github: ${error instanceof Error ? error.message : error}`);
      response.headersSent ? response.destroy() : send(response, refused(500, "mock-github"));
    });
  };
}

async function answerApi(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { document, calls, violations, state, answers, apiUrl } = parts;
  const { method = "GET", headers } = request;
  const url = new URL(request.url ?? "/", parts.url);
  const text = await bodyOf(request);
  const body = text === "" ? undefined : (JSON.parse(text) as unknown);
  const token = /^(?:token|bearer) (.+)$/i.exec(headers.authorization ?? "")?.[1];
  const found = findOperation(document, method, url.pathname.replace(/^\/api\/v3/, ""));
  const route = found?.route ?? `${method} ${url.pathname}`;
  const seen = (status: number): void => void calls.push({ route, status, body, token });
  const broken = (problems: readonly string[]): void => {
    violations.push(...problems.map((problem) => `${route}: ${problem}`));
    seen(500);
    send(response, refused(500, `mock-github: ${problems.join("; ")}`));
  };
  if (found === undefined) {
    return broken(["no such operation is in the description"]);
  }
  const problems = checkRequest(document, found, url.searchParams, body);
  if (problems.length > 0) {
    return broken(problems);
  }
  const failure = takeFailure(parts.failures, route);
  if (failure?.kind === "silence") {
    return seen(0);
  }
  const isCut = failure?.kind === "cut";
  if (isCut && failure.when === "before") {
    seen(0);
    return void response.destroy();
  }
  const answer =
    failure === undefined || isCut
      ? await answerCall(state, answers, apiUrl, { found, query: url.searchParams, body, token })
      : failed(failure);
  const change = parts.changes.get(route);
  const told = change === undefined ? answer : { ...answer, body: change(answer.body) };
  const wrong = checkAnswer(document, found, told.status, told.body);
  if (wrong.length > 0) {
    return broken(wrong);
  }
  seen(isCut ? 0 : told.status);
  if (isCut) {
    response.destroy();
    return;
  }
  send(response, told);
}

function send(response: ServerResponse, { status, body, headers }: MockAnswer): void {
  response
    .writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "x-github-request-id": "0000:0000:00000000",
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": "4999",
      "x-ratelimit-reset": String(Math.floor(Date.now() / 1_000) + 3_600),
      ...headers,
    })
    .end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString("utf8");
}
