import type { Clock } from "../../ports/clock.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import { checkToken, claimsOf, type TokenClaims, type TokenUse } from "./attempt-token.ts";
import type { AttemptWatch, WatchedAttempt } from "./attempt-watch.ts";

/** Whom a token lets in, or why it does not. */
export type Admission =
  | { readonly watched: WatchedAttempt; readonly claims: TokenClaims }
  | {
      readonly because: "invalid" | "not_live" | "unsure";
      /** For the log: what was wrong, never the token. */
      readonly reason: string;
      /** Whom it claims to be of. */
      readonly claimed?: JobName;
    };

/**
 * Judges a token that was made elsewhere: by the attempt it names, whose public key the authority
 * tells. What is not of this deployment's gateway by its own words costs no question.
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
): Promise<Admission> {
  const claims = claimsOf(token);
  if (claims === undefined) {
    return { because: "invalid", reason: token === "" ? "no token" : "no token of ours" };
  }
  const claimed = claims.attempt;
  if (claims.deploymentId !== deploymentId) {
    return { because: "invalid", reason: "another deployment's token", claimed };
  }
  if (claims.use !== use) {
    return { because: "invalid", reason: `a token to ${claims.use}, not to ${use}`, claimed };
  }
  const watched = await watch.find(claimed);
  if (watched === "not_live") {
    return { because: "not_live", reason: "its attempt is not live", claimed };
  }
  if (watched === "unsure") {
    return { because: "unsure", reason: "nobody can say whether its attempt is live", claimed };
  }
  const verdict = await checkToken(token, watched.key, { deploymentId, now: clock.now() });
  if (verdict !== "valid") {
    const reason = verdict === "expired" ? "expired" : "not signed with its attempt's key";
    return { because: "invalid", reason, claimed };
  }
  return { watched, claims };
}
