import type { IncomingMessage, ServerResponse } from "node:http";
import { failureOf } from "../../domain/speckit-error.ts";
import type { AttemptAuthority } from "../../ports/attempt-authority.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";
import { bearerOf } from "./answer-request.ts";
import type { GatewayMeter } from "./gateway-meter.ts";
import type { RefusalLog } from "./refusal-log.ts";
import type { Admission } from "./token-door.ts";

/** What a job's entry program asks for, and whoever looks whether the gateway is there. */
export const JOB_PATHS = { start: "/speckit/v1/start", attempt: "/speckit/v1/attempt" } as const;
const HEALTH_PATH = "/healthz";

export interface JobAnsweringParts {
  readonly authority: Pick<AttemptAuthority, "useStartTicket">;
  /** Lets a token of the entry program in. */
  readonly admit: (token: string) => Promise<Admission>;
  readonly isAway: () => boolean;
  readonly meter: GatewayMeter;
  readonly tellRefusal: RefusalLog;
  readonly logger: Logger;
}

/**
 * Answers what is no model call. Statuses alone say it: 204 yes, 409 the ticket is not to be had,
 * 410 the attempt is not live, 401 the token is none, 503 nobody can say now.
 *
 * @returns false for a path that is not of these
 */
export function answerJob(
  parts: JobAnsweringParts,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const fail = (error: unknown): void => {
    parts.logger.error("job not answered", { error: String(error) });
    response.destroy();
  };
  const asked = `${request.method} ${request.url?.split("?", 1)[0]}`;
  switch (asked) {
    case `POST ${JOB_PATHS.start}`:
      answer(parts, request, response, start).catch(fail);
      return true;
    case `GET ${JOB_PATHS.attempt}`:
      answer(parts, request, response, async () => 204).catch(fail);
      return true;
    case `GET ${HEALTH_PATH}`:
      response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(
        `${JSON.stringify({ status: "alive", store: parts.isAway() ? "away" : "ok" })}\n`,
      );
      return true;
    default:
      return false;
  }
}

async function answer(
  parts: JobAnsweringParts,
  request: IncomingMessage,
  response: ServerResponse,
  goOn: (parts: JobAnsweringParts, attempt: JobName) => Promise<number>,
): Promise<void> {
  request.resume();
  response.on("error", () => {});
  const admission = await parts.admit(bearerOf(request));
  let status: number;
  if ("reason" in admission) {
    const { refusal, reason, claimed } = admission;
    parts.meter.refused(refusal);
    parts.tellRefusal("warn", "job refused", { refusal, reason, path: request.url, ...claimed });
    status = { invalid: 401, not_live: 410, unsure: 503 }[admission.because];
    // To an entry program that has not started its agent yet the two mean the same: never.
    if (status === 410 && request.method === "POST") {
      status = 409;
    }
  } else {
    status = await goOn(parts, admission.watched.name);
  }
  response.writeHead(status, { "content-length": "0" });
  response.end();
}

async function start({ authority, logger }: JobAnsweringParts, attempt: JobName): Promise<number> {
  try {
    const isUsed = await authority.useStartTicket(attempt);
    logger.info(isUsed ? "start ticket used" : "start ticket refused", { ...attempt });
    return isUsed ? 204 : 409;
  } catch (error) {
    // It may have been used all the same: then the next try hears 409, and the agent never starts.
    logger.warn("start ticket not used", { ...attempt, error: failureOf(error).message });
    return 503;
  }
}
