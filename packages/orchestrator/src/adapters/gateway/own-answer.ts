import type { GatewayRefusal } from "../../domain/gateway-refusal.ts";

/**
 * An answer of the gateway's own. The agent reads it as its provider's, so it gets the provider's
 * shape; its `code` tells who has spoken.
 */
export interface OwnAnswer {
  readonly status: number;
  readonly code: OwnCode;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  readonly resetsInMs?: number;
}

export type OwnCode =
  | "not_found"
  | "invalid_token"
  | "attempt_unknown"
  | "malformed_request"
  | "header_too_large"
  | "invalid_request_body"
  | "request_too_large"
  | "too_many_open_calls"
  | "credential_cooling"
  | "token_limit_reached"
  | "cost_limit_reached"
  | "price_unknown"
  | "no_provider"
  | "upstream_unreachable"
  | "upstream_hung";

/** One that is counted under its own code. */
export type Refusal = OwnAnswer & { readonly code: Extract<OwnCode, GatewayRefusal> };
