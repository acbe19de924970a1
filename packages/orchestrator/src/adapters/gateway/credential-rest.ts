import type { Clock } from "../../ports/clock.ts";
import type { CoolDownReason, CredentialRepository } from "../../ports/credential-repository.ts";
import type { Logger } from "../../ports/logger.ts";

/** How long a key rests whose provider does not say until when. */
const RATE_LIMITED_MS = 60_000;
const QUOTA_MS = 900_000;
/** Not shorter: what is told as "now" must not become a loop. Not longer: then somebody looks again. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 86_400_000;

/** The cool-down of one key: what the deployment knows, and what was just told here. */
export interface CredentialRest {
  /** Milliseconds until the key may be used; 0: now. */
  readonly restsForMs: () => Promise<number>;
  /** Lets the key rest: here at once, everywhere when it resolves. Never rejects. */
  readonly coolDown: (resetsInMs: number | null, reason: CoolDownReason) => Promise<void>;
}

/**
 * A store that is away stops no model call: this process then goes by what it has been told itself,
 * and whoever else uses the key learns it from the provider.
 */
export function credentialRest(options: {
  readonly credential: string;
  readonly credentials: CredentialRepository;
  readonly clock: Clock;
  readonly logger: Logger;
}): CredentialRest {
  const { credential, credentials, clock, logger } = options;
  let restsUntilMs = Number.NEGATIVE_INFINITY;
  return {
    async restsForMs() {
      let knownMs = 0;
      try {
        knownMs = await credentials.coolingForMs(credential);
      } catch (error) {
        logger.warn("cool-down not read", { credential, error: String(error) });
      }
      return Math.max(knownMs, restsUntilMs - clock.monotonicMs(), 0);
    },
    async coolDown(resetsInMs, reason) {
      const asked = resetsInMs ?? (reason === "quota" ? QUOTA_MS : RATE_LIMITED_MS);
      const forMs = Math.min(Math.max(asked, SHORTEST_MS), LONGEST_MS);
      const untilMs = Math.max(restsUntilMs, clock.monotonicMs() + forMs);
      restsUntilMs = untilMs;
      logger.warn("credential cools down", { credential, reason, forMs });
      try {
        await credentials.coolDown(credential, forMs, reason);
        if (restsUntilMs === untilMs) {
          // From here on the store is the one to ask: an operator may end a cool-down there.
          restsUntilMs = Number.NEGATIVE_INFINITY;
        }
      } catch (error) {
        logger.warn("cool-down not stored", { credential, reason, forMs, error: String(error) });
      }
    },
  };
}
