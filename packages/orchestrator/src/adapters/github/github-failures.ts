import type { ErrorCode } from "../../domain/error-codes.ts";
import { oneLine } from "../../domain/one-line.ts";
import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";
import { missingPermission } from "./missing-permission.ts";

/** What an error message names. */
export interface FailureContext {
  /** `owner/name`. */
  readonly repository: string;
  /** `github.com`. */
  readonly host: string;
}

/**
 * A call that failed. Octokit's own error is no `cause` of it: it holds the request, and with it what
 * should be in no log.
 */
export class GitHubError extends SpeckitError {
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  /** GitHub's own, one line; empty when it said nothing. */
  readonly words: string;

  constructor(
    code: ErrorCode,
    message: string,
    about: {
      readonly status: number;
      readonly words?: string;
      readonly remedy?: string | undefined;
      readonly resetsAt?: string | undefined;
    },
  ) {
    super(code, message, {
      ...(about.remedy === undefined ? {} : { remedy: about.remedy }),
      ...(about.resetsAt === undefined ? {} : { resetsAt: about.resetsAt }),
    });
    this.status = about.status;
    this.words = about.words ?? "";
  }
}

export type Headers = Readonly<Record<string, string | number | undefined>>;

/** Of Octokit's `RequestError`, what is looked at. */
interface FailedRequest {
  readonly status: number;
  readonly message: string;
  readonly response?: { readonly headers: Headers; readonly data: unknown };
}

interface Answer extends FailureContext {
  readonly status: number;
  readonly headers: Headers;
  readonly words: string;
}

/** The error a failed call stands for; anything that is no failed call comes back as it is. */
export function githubFailure(error: unknown, context: FailureContext): unknown {
  if (isSpeckitError(error) || !isFailedRequest(error)) {
    return error;
  }
  const { response } = error;
  if (response === undefined) {
    return new GitHubError(
      "PULL_REQUEST_HOST_UNAVAILABLE",
      `${context.host}: its API could not be reached: ${oneLine(error.message, 200)}`,
      { status: 0 },
    );
  }
  const words = wordsOf(response.data);
  return failureOfAnswer({ ...context, status: error.status, headers: response.headers, words });
}

function isFailedRequest(error: unknown): error is FailedRequest {
  return error instanceof Error && error.name === "HttpError" && "status" in error;
}

function failureOfAnswer(answer: Answer): GitHubError {
  const { status, headers, words, repository, host } = answer;
  const about = { status, words };
  const said = words === "" ? "" : `: ${words}`;
  if (status >= 500) {
    const message = `${host}: its API answered ${status}${said}`;
    return new GitHubError("PULL_REQUEST_HOST_UNAVAILABLE", message, about);
  }
  if (isLimit(answer)) {
    const resetsAt = endOfLimit(headers);
    const until = resetsAt === undefined ? "" : ` until ${resetsAt}`;
    const message = `${host}: its API limits this token${until}${said}`;
    return new GitHubError("PULL_REQUEST_HOST_LIMITED", message, { ...about, resetsAt });
  }
  if (status === 401) {
    return new GitHubError(
      "GIT_CREDENTIALS_REFUSED",
      `${host}: its API did not accept the credentials${said}`,
      about,
    );
  }
  const missing = status === 403 || status === 404 ? missingPermission(headers, words) : undefined;
  if (missing !== undefined) {
    return new GitHubError("TOKEN_SCOPE_MISSING", `${repository}: ${missing}${said}`, about);
  }
  if (status === 403) {
    return forbidden(answer, said);
  }
  if (status === 404 || status === 410 || status === 451) {
    return new GitHubError(
      "REPOSITORY_NOT_FOUND",
      `${repository}: GitHub has no such repository, or the token may not see it (${status})${said}`,
      about,
    );
  }
  return new GitHubError("PULL_REQUEST_REFUSED", `${repository}: GitHub refused${said}`, about);
}

function forbidden({ status, headers, words, repository }: Answer, said: string): GitHubError {
  const about = { status, words };
  // There is no code for it; the repository is looked at first, so this is only for the moment between.
  if (/\barchived\b/i.test(words)) {
    return new GitHubError("REPOSITORY_ARCHIVED", `${repository}: it is archived`, about);
  }
  if (headers["x-github-sso"] !== undefined) {
    return new GitHubError(
      "GIT_CREDENTIALS_REFUSED",
      `${repository}: its organisation asks for single sign-on${said}`,
      { ...about, remedy: "Authorise the token for the organisation's single sign-on." },
    );
  }
  return new GitHubError("PULL_REQUEST_REFUSED", `${repository}: GitHub forbids it${said}`, about);
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** A redirect is not followed: `fetch` would turn a POST into a GET, and the run's address is wrong anyway. */
export function movedFailure({ repository }: FailureContext, status: number): GitHubError {
  const message = `${repository}: it has another name or owner now (${status})`;
  return new GitHubError("REPOSITORY_MOVED", message, { status });
}

function isLimit({ status, headers, words }: Answer): boolean {
  return (
    status === 429 ||
    (status === 403 &&
      (headers["retry-after"] !== undefined ||
        String(headers["x-ratelimit-remaining"]) === "0" ||
        /\brate limit\b/i.test(words)))
  );
}

function endOfLimit(headers: Headers): string | undefined {
  const retryAfter = Number(headers["retry-after"]);
  if (Number.isFinite(retryAfter) && retryAfter > 0) {
    return new Date(Date.now() + retryAfter * 1_000).toISOString();
  }
  const reset = Number(headers["x-ratelimit-reset"]);
  return Number.isFinite(reset) && reset > 0 ? new Date(reset * 1_000).toISOString() : undefined;
}

/** GitHub's message and, of a refused validation, what is wrong with what. */
function wordsOf(data: unknown): string {
  if (typeof data !== "object" || data === null) {
    return "";
  }
  const { message, errors } = data as { readonly message?: unknown; readonly errors?: unknown };
  const details = Array.isArray(errors) ? errors.map(detailOf).filter(Boolean).join("; ") : "";
  const text = typeof message === "string" ? message : "";
  return oneLine(details === "" ? text : `${text}: ${details}`, 500);
}

function detailOf(error: unknown): string {
  if (typeof error === "string") {
    return error;
  }
  if (typeof error !== "object" || error === null) {
    return "";
  }
  const { message, field, code } = error as Readonly<Record<string, unknown>>;
  if (typeof message === "string") {
    return message;
  }
  return [field, code].filter((part) => typeof part === "string").join(" ");
}
