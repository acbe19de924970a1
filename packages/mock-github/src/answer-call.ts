import { type MockAnswer, ok, refused } from "./answer.ts";
import type { Answers } from "./answers.ts";
import type { FoundOperation } from "./description/find-operation.ts";
import { grantHeaders, type Needs, refusalFor } from "./grants.ts";
import { appOf, findInstallation, mintToken } from "./operations/app.ts";
import { OPERATIONS } from "./operations/index.ts";
import { findRepository, type MockGrant, type MockState } from "./state.ts";

export interface Call {
  readonly found: FoundOperation;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Of the `authorization` header, without its scheme. */
  readonly token: string | undefined;
}

/** What GitHub would answer. */
export async function answerCall(
  state: MockState,
  answers: Answers,
  apiUrl: string,
  call: Call,
): Promise<MockAnswer> {
  const { found, token } = call;
  const body = (call.body ?? {}) as Readonly<Record<string, unknown>>;
  if (isAppRoute(found.route)) {
    const app = await appOf(state, token ?? "");
    if ("status" in app) {
      return app;
    }
    return found.route.startsWith("POST")
      ? mintToken(state, app, Number(found.path.installation_id), body)
      : findInstallation(app, answers, found.path);
  }
  const operation = OPERATIONS[found.route];
  if (operation === undefined) {
    throw new Error(`mock-github does not have ${found.route}: add it, or do not call it`);
  }
  const grant = token === undefined ? undefined : state.tokens.get(token);
  if (token !== undefined && (grant === undefined || isExpired(grant))) {
    return refused(401, "Bad credentials");
  }
  const headers = grantHeaders(grant, operation.needs);
  const withHeaders = (answer: MockAnswer): MockAnswer => ({
    ...answer,
    headers: { ...headers, ...answer.headers },
  });
  const repository = findRepository(state, found.path.owner ?? "", found.path.repo ?? "");
  if (repository === undefined || repository.gone) {
    return withHeaders(refused(404, "Not Found"));
  }
  if (repository.moved) {
    const url = `${apiUrl}/repositories/${repository.id}`;
    return withHeaders({
      ...ok({ message: "Moved Permanently", url }, 301),
      headers: { location: url },
    });
  }
  const refusal = refusalFor(grant, repository, operation.needs);
  if (refusal !== undefined) {
    return withHeaders(refusal);
  }
  if (repository.archived && isWrite(operation.needs)) {
    return withHeaders(refused(403, "Repository was archived so is read-only."));
  }
  const { path } = found;
  const { query } = call;
  return withHeaders(operation.carryOut({ state, answers, repository, grant, path, query, body }));
}

export function isExpired(grant: MockGrant): boolean {
  return grant.kind !== "classic" && (grant.expiresAtMs ?? Number.POSITIVE_INFINITY) < Date.now();
}

function isWrite(needs: Needs): boolean {
  return needs.some((need) => need.endsWith("write"));
}

function isAppRoute(route: string): boolean {
  return (
    route === "GET /repos/{owner}/{repo}/installation" ||
    route === "POST /app/installations/{installation_id}/access_tokens"
  );
}
