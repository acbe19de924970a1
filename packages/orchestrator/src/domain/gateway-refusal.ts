/** Why a gateway has answered a request itself: its word in logs and metrics, never free text. */
export const GATEWAY_REFUSALS = [
  "no_token",
  "unknown_token",
  "other_deployment",
  "other_use",
  "other_attempt",
  "not_live",
  "unsure",
  "expired",
  "forged",
  "not_found",
  "no_provider",
  "malformed_request",
  "forwarding_refused",
  "connect_not_plain",
  "header_too_large",
  "invalid_request_body",
  "request_too_large",
  "too_many_open_calls",
  "credential_cooling",
  "token_limit_reached",
  "cost_limit_reached",
  "price_unknown",
] as const;

export type GatewayRefusal = (typeof GATEWAY_REFUSALS)[number];
