import type { ServerResponse } from "node:http";
import { type ErrorCode, type Failure, failure, failureOf } from "@speckit/orchestrator";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where the status says more than the failure's class. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  REQUEST_INVALID: 400,
  HTTP_TOKEN_REFUSED: 401,
  HTTP_API_OFF: 403,
  HTTP_PATH_UNKNOWN: 404,
  RUN_NOT_FOUND: 404,
  HTTP_METHOD_REFUSED: 405,
  INTERNAL_ERROR: 500,
};

/** A failure as an answer: what it is, and what to do about it. */
export function refusal(error: Failure): Answer {
  const { code, message, remedy } = error;
  const status = STATUS[code] ?? (error.class === "transient" ? 503 : 500);
  return {
    status,
    body: { code, message, remedy },
    headers: {
      ...(status === 401 ? { "www-authenticate": 'Bearer realm="speckit"' } : {}),
      ...(status === 405 ? { allow: "GET, HEAD" } : {}),
      ...(status === 503 ? { "retry-after": "5" } : {}),
    },
  };
}

export function refuse(code: ErrorCode, message: string, remedy?: string): Answer {
  return refusal(failure(code, message, remedy === undefined ? {} : { remedy }));
}

/** Of whatever was thrown. */
export function refusalOf(error: unknown): Answer {
  return refusal(failureOf(error));
}

export function send(response: ServerResponse, method: string, answer: Answer): void {
  const text = `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...answer.headers,
  });
  response.end(method === "HEAD" ? undefined : text);
}
