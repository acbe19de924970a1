import type { MockFailure } from "./failures.ts";

export interface MockAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const DOCUMENTATION = "https://docs.github.com/rest";

export function ok(body: unknown, status = 200): MockAnswer {
  return { status, body };
}

export function refused(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): MockAnswer {
  const body = { message, documentation_url: DOCUMENTATION, status: String(status) };
  return { status, body, headers };
}

/** As GitHub tells a refused validation. */
export function invalid(
  errors: readonly {
    readonly resource: string;
    readonly code: string;
    readonly field?: string;
    readonly message?: string;
  }[],
): MockAnswer {
  const message = "Validation Failed";
  return {
    status: 422,
    body: { message, errors, documentation_url: DOCUMENTATION, status: "422" },
  };
}

export function failed(failure: Exclude<MockFailure, { kind: "cut" | "silence" }>): MockAnswer {
  switch (failure.kind) {
    case "status":
      return refused(failure.status, "Server Error");
    case "secondary-limit":
      return refused(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        { "retry-after": String(failure.seconds) },
      );
    case "primary-limit":
      return refused(failure.status ?? 403, "API rate limit exceeded for user ID 1.", {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(Math.floor(Date.now() / 1_000) + failure.resetsInSeconds),
      });
  }
}
