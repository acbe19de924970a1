import { AGENT_CODES } from "./errors/agents.ts";
import type { ErrorCodeFacts } from "./errors/error-code-facts.ts";
import { GIT_CODES } from "./errors/git.ts";
import { REQUEST_CODES } from "./errors/requests.ts";
import { RUN_CODES } from "./errors/runs.ts";
import { SERVICE_CODES } from "./errors/services.ts";

/** Every error code there is. `docs/errors.md` is generated from this table. */
export const ERROR_CODES = {
  ...REQUEST_CODES,
  ...GIT_CODES,
  ...AGENT_CODES,
  ...RUN_CODES,
  ...SERVICE_CODES,
} as const satisfies Record<string, ErrorCodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
