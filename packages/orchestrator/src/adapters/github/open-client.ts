import { Octokit } from "@octokit/core";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { type FailureContext, githubFailure, isRedirect, movedFailure } from "./github-failures.ts";
import type { Connection } from "./open-connection.ts";
import type { GitHubReach } from "./options.ts";
import { orAborted } from "./or-aborted.ts";

const ThrottledOctokit = Octokit.plugin(retry, throttling);

export type Request = Octokit["request"];

/** GitHub's API for one piece of work. */
export interface Client {
  /**
   * Makes a call and gives what came back.
   *
   * @throws GitHubError; what the signal was aborted with, at once, even where a limit is waited for
   */
  readonly ask: <T>(call: (request: Request) => Promise<{ status: number; data: T }>) => Promise<T>;
}

/** Nothing of Octokit's goes to a log: its errors hold whole requests. */
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Two tries more, after one and after four seconds: longer outages are the run's to wait for. */
const RETRIES = 2;

/**
 * A client for one piece of work: its calls together wait at most `waitMs` for rate limits.
 *
 * @param token of a user, an installation, or an App's own JWT; undefined: nobody's
 */
export function openClient(
  connection: Connection,
  reach: GitHubReach,
  token: string | undefined,
  context: FailureContext,
  signal: AbortSignal,
): Client {
  const { secondMs = 1_000 } = reach;
  const mayWait = waitBudget(reach);
  const octokit = new ThrottledOctokit({
    baseUrl: connection.apiUrl,
    userAgent: reach.userAgent ?? "speckit",
    log: SILENT,
    request: { fetch: connection.fetch, redirect: "manual", log: SILENT },
    ...(token === undefined ? {} : { auth: token }),
    retry: {
      retries: RETRIES,
      retryAfterBaseValue: secondMs,
      // Limits are the other plugin's.
      doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451],
    },
    throttle: {
      // Pauses are between the writes of all runs of this process at one host.
      id: connection.apiUrl,
      retryAfterBaseValue: secondMs,
      onRateLimit: mayWait("primary"),
      onSecondaryRateLimit: mayWait("secondary"),
      ...(secondMs === 0 ? { write: UNPACED, notifications: UNPACED } : {}),
    },
  });
  const request = octokit.request.defaults({
    headers: { "x-github-api-version": "2022-11-28" },
    request: { signal },
  });
  return {
    async ask(call) {
      try {
        const answer = await orAborted(call(request), signal);
        if (isRedirect(answer.status)) {
          throw movedFailure(context, answer.status);
        }
        return answer.data;
      } catch (error) {
        signal.throwIfAborted();
        throw githubFailure(error, context);
      }
    },
  };
}

/** In the place of a limiter's group. */
const UNPACED = {
  key: () => ({ schedule: (_options: object, work: () => Promise<void>) => work() }),
} as never;

function waitBudget({ waitMs = 60_000, logger }: GitHubReach) {
  let leftMs = waitMs;
  return (limit: "primary" | "secondary") =>
    (seconds: number): boolean => {
      const afterMs = seconds * 1_000;
      if (afterMs > leftMs) {
        return false;
      }
      // At least one second, so that an answer that says 0 again and again comes to an end.
      leftMs -= Math.max(afterMs, 1_000);
      logger.info("GitHub's rate limit is waited for", { limit, seconds });
      return true;
    };
}
