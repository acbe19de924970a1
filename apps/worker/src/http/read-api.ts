import type { Orchestrator } from "@speckit/orchestrator";
import { type Answer, refusalOf, refuse } from "./answer.ts";
import { hasToken } from "./check-token.ts";
import { openApiDocument } from "./openapi-document.ts";
import type { Resource } from "./resource.ts";
import { RESOURCES } from "./resources.ts";
import { turnstile } from "./turnstile.ts";

export interface ReadApiOptions {
  /** What callers must show; undefined: nothing can be read. */
  readonly token: string | undefined;
  /** undefined: it is not there yet, or not any more. */
  readonly orchestrator: () => Orchestrator | undefined;
  /** Told of what should not happen. */
  readonly onError: (error: unknown, path: string) => void;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const AT_ONCE = 2;
const MOST_WAITING = 64;
const HOW_TO_ASK = "docs/http-api.md and GET /v1/openapi.json show what can be read, and how.";

/** Answers `GET /v1/…`: runs, read-only, for whoever has the token. */
export function readApi({ token, orchestrator, onError }: ReadApiOptions) {
  const gate = turnstile(AT_ONCE, MOST_WAITING);
  let document: ReturnType<typeof openApiDocument> | undefined;
  return async (url: URL, authorization: string | undefined): Promise<Answer> => {
    if (url.pathname === "/v1/openapi.json") {
      // Made once: whoever asks for it shows no token.
      document ??= openApiDocument();
      return { status: 200, body: document };
    }
    if (token === undefined) {
      return refuse("HTTP_API_OFF", "SPECKIT_HTTP_TOKEN is not set, so runs cannot be read here");
    }
    if (!hasToken(authorization, token)) {
      const what = authorization === undefined ? "no token came" : "the token is another one";
      return refuse("HTTP_TOKEN_REFUSED", `Authorization: expected Bearer <token>; ${what}`);
    }
    const found = find(url.pathname);
    if (found === undefined) {
      return refuse("HTTP_PATH_UNKNOWN", `There is nothing at ${url.pathname}`);
    }
    const { resource, runId } = found;
    if (runId !== "" && !UUID.test(runId)) {
      return refuse("REQUEST_INVALID", "runId: expected a UUID", HOW_TO_ASK);
    }
    const asked = readQuery(resource, url.searchParams);
    if ("problem" in asked) {
      return refuse("REQUEST_INVALID", asked.problem, HOW_TO_ASK);
    }
    const opened = orchestrator();
    if (opened === undefined) {
      return refuse("DATABASE_UNAVAILABLE", "The worker has no connection to its services now");
    }
    try {
      const query = asked.query as never;
      const read = () => resource.read(opened, { runId: runId.toLowerCase(), query });
      const body = await gate.pass(read);
      return body === undefined
        ? refuse("HTTP_BUSY", `${MOST_WAITING} requests wait for the database already`)
        : { status: 200, body };
    } catch (error) {
      const answer = refusalOf(error);
      if (answer.status >= 500) {
        onError(error, url.pathname);
      }
      return answer;
    }
  };
}

function find(
  pathname: string,
): { readonly resource: Resource; readonly runId: string } | undefined {
  const asked = pathname.split("/");
  for (const resource of RESOURCES) {
    const parts = resource.path.split("/");
    if (
      parts.length === asked.length &&
      parts.every((part, ix) => (part === "{runId}" ? asked[ix] !== "" : part === asked[ix]))
    ) {
      return { resource, runId: asked[parts.indexOf("{runId}")] ?? "" };
    }
  }
  return undefined;
}

function readQuery(
  { query }: Resource,
  given: URLSearchParams,
): { readonly query: unknown } | { readonly problem: string } {
  const names = [...given.keys()];
  const twice = names.find((name, ix) => names.indexOf(name) !== ix);
  if (twice !== undefined) {
    return { problem: `${twice}: expected once` };
  }
  const parsed = query.safeParse(Object.fromEntries(given));
  if (parsed.success) {
    return { query: parsed.data };
  }
  const problems = parsed.error.issues.map((issue) =>
    issue.code === "unrecognized_keys"
      ? `${issue.keys.join(", ")}: there is no such parameter`
      : `${issue.path.join(".")}: ${issue.message}`,
  );
  return { problem: problems.join("; ") };
}
