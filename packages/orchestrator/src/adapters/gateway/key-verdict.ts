import { refusalCode } from "../../domain/model-failure.ts";
import type { CoolDownReason } from "../../ports/credential-repository.ts";

/** What of an answer speaks of the key it was given for. */
export interface CallAnswer {
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly resetsInMs: number | null;
}

/** What an answer that is not a good one says about its key; undefined: nothing. */
export function keyVerdict({
  status,
  errorCode,
}: Pick<CallAnswer, "status" | "errorCode">): CoolDownReason | "refused" | undefined {
  switch (refusalCode(status, errorCode)) {
    case "QUOTA_EXHAUSTED":
      return "quota";
    case "RATE_LIMITED":
      return "rate_limited";
    case "MODEL_CREDENTIALS_REFUSED":
      return "refused";
    default:
      return undefined;
  }
}
