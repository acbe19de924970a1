import type { GatewayRefusal } from "../../domain/gateway-refusal.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import { checkToken, claimsOf, type TokenClaims, type TokenUse } from "./attempt-token.ts";
import type { AttemptWatch, WatchedAttempt } from "./attempt-watch.ts";

/** Whom a token lets in, or why it does not. */
export type Admission =
  | { readonly watched: WatchedAttempt; readonly claims: TokenClaims }
  | {
      readonly because: "invalid" | "not_live" | "unsure";
      readonly refusal: GatewayRefusal;
      /** For the log: what was wrong, never the token. */
      readonly reason: string;
      /** Who has shown it, where its socket tells; else whom it claims to be of. */
      readonly claimed?: JobName;
    };

/** Whose socket a request came through; undefined: the gateway's own, which no job sees. */
export type Through = JobName | undefined;

/**
 * Judges a token that was made elsewhere: by the attempt it names, whose public key the authority
 * tells. What is not of this deployment's gateway by its own words, or came through another attempt's
 * socket than it names, costs no question.
 */
export async function admitToken(
  {
    watch,
    deploymentId,
    clock,
  }: {
    readonly watch: AttemptWatch;
    readonly deploymentId: string;
    readonly clock: Clock;
  },
  token: string,
  use: TokenUse,
  through: Through,
): Promise<Admission> {
  const claims = claimsOf(token);
  const claimed = through ?? claims?.attempt;
  if (claims === undefined || claimed === undefined) {
    const whose = claimed === undefined ? {} : { claimed };
    return token === ""
      ? { because: "invalid", refusal: "no_token", reason: "no token", ...whose }
      : { because: "invalid", refusal: "unknown_token", reason: "no token of ours", ...whose };
  }
  if (claims.deploymentId !== deploymentId) {
    const reason = "another deployment's token";
    return { because: "invalid", refusal: "other_deployment", reason, claimed };
  }
  if (claims.use !== use) {
    const reason = `a token to ${claims.use}, not to ${use}`;
    return { because: "invalid", refusal: "other_use", reason, claimed };
  }
  if (!isSame(claims.attempt, claimed)) {
    const reason = `a token of ${Object.values(claims.attempt).join("/")}`;
    return { because: "invalid", refusal: "other_attempt", reason, claimed };
  }
  const watched = await watch.find(claimed);
  if (watched === "not_live") {
    const reason = "its attempt is not live";
    return { because: "not_live", refusal: "not_live", reason, claimed };
  }
  if (watched === "unsure") {
    const reason = "nobody can say whether its attempt is live";
    return { because: "unsure", refusal: "unsure", reason, claimed };
  }
  const verdict = await checkToken(token, watched.key, { deploymentId, now: clock.now() });
  if (verdict !== "valid") {
    const reason = verdict === "expired" ? "expired" : "not signed with its attempt's key";
    return { because: "invalid", refusal: verdict, reason, claimed };
  }
  return { watched, claims };
}

function isSame(one: JobName, other: JobName): boolean {
  return one.runId === other.runId && one.phase === other.phase && one.attempt === other.attempt;
}
