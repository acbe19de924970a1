import type { IncomingMessage, ServerResponse } from "node:http";
import { serveGit } from "@speckit/testkit/serve-git";
import { isExpired } from "./answer-call.ts";
import { refusalFor } from "./grants.ts";
import { findRepository, type MockRepository, type MockState } from "./state.ts";

const GIT_PATH =
  /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/;

export function isGitRequest(pathname: string): boolean {
  return GIT_PATH.test(pathname);
}

/** Git's smart HTTP as GitHub serves it: any user name, a token as the password. */
export function answerGit(
  state: MockState,
  folder: string,
  webUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? "/", webUrl);
  const [, owner = "", name = "", end = ""] = GIT_PATH.exec(url.pathname) ?? [];
  const pushes =
    end === "/git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
  const token = tokenOf(request.headers.authorization);
  const repository = findRepository(state, owner, name);
  const refusal = refusalOf(state, repository, token, pushes);
  if (refusal !== undefined || repository === undefined) {
    const { status, text } = refusal ?? NOT_FOUND;
    const challenge = status === 401 ? { "www-authenticate": 'Basic realm="GitHub"' } : {};
    response.writeHead(status, { "content-type": "text/plain", ...challenge }).end(text);
    return;
  }
  request.url = `/${repository.owner}/${repository.name}.git${end}${url.search}`;
  serveGit(folder, request, response);
}

interface Refusal {
  readonly status: number;
  readonly text: string;
}

const NOT_FOUND: Refusal = { status: 404, text: "Repository not found." };

function refusalOf(
  state: MockState,
  repository: MockRepository | undefined,
  token: string | undefined,
  pushes: boolean,
): Refusal | undefined {
  const grant = token === undefined ? undefined : state.tokens.get(token);
  if (token !== undefined && (grant === undefined || isExpired(grant))) {
    return { status: 401, text: "Invalid username or token." };
  }
  if (repository === undefined || repository.gone) {
    return token === undefined ? { ...NOT_FOUND, status: 401 } : NOT_FOUND;
  }
  const needs = pushes ? (["contents=write"] as const) : (["contents=read"] as const);
  if (refusalFor(grant, repository, needs) !== undefined) {
    const text = `Permission to ${repository.owner}/${repository.name}.git denied.`;
    return { status: token === undefined ? 401 : pushes ? 403 : 404, text };
  }
  return repository.archived && pushes
    ? { status: 403, text: "This repository was archived so it is read-only." }
    : undefined;
}

function tokenOf(authorization: string | undefined): string | undefined {
  const basic = /^Basic (.+)$/i.exec(authorization ?? "")?.[1];
  return basic === undefined
    ? undefined
    : Buffer.from(basic, "base64").toString().split(":").slice(1).join(":");
}
