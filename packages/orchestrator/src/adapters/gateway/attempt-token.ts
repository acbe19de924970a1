import { errors, jwtVerify, SignJWT } from "jose";
import type { ModelAttempt } from "../../ports/model-gateway.ts";

const ALGORITHM = "HS256";
const AUDIENCE = "speckit-gateway";

export interface TokenSigner {
  /** @param accessId what the token opens; told again by `accessOf` */
  readonly sign: (accessId: string, attempt: ModelAttempt) => Promise<string>;
  /** @returns undefined for a token that is not ours, was changed, or has expired */
  readonly accessOf: (token: string) => Promise<string | undefined>;
}

/**
 * Tokens an agent may hold: they name one attempt and are worth nothing anywhere else. A signature
 * alone does not open anything, since the access it names must still be open.
 */
export function tokenSigner(options: {
  readonly key: Uint8Array;
  readonly deploymentId: string;
  readonly now: () => Date;
}): TokenSigner {
  const { key, deploymentId, now } = options;
  return {
    sign(accessId, { runId, phase, attempt, expiresInMs, limits }) {
      const seconds = now().getTime() / 1000;
      return (
        new SignJWT({ run: runId, phase, attempt, limits })
          .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
          .setIssuer(deploymentId)
          .setAudience(AUDIENCE)
          .setJti(accessId)
          .setIssuedAt(Math.floor(seconds))
          // Whole seconds, never early: the access itself knows its end to the millisecond.
          .setExpirationTime(Math.ceil(seconds + expiresInMs / 1000) + 1)
          .sign(key)
      );
    },
    async accessOf(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          issuer: deploymentId,
          audience: AUDIENCE,
          currentDate: now(),
        });
        return payload.jti;
      } catch (error) {
        if (error instanceof errors.JOSEError) {
          return undefined;
        }
        throw error;
      }
    },
  };
}
