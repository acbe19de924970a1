/** Why a credential rests. */
export type CoolDownReason = "rate_limited" | "quota";

/**
 * The named keys of a deployment, and until when each of them rests because its provider has said
 * so. One key is used by many runs in many processes: what one of them is told holds for all.
 * Times are by the database's clock alone.
 *
 * Faults of the store itself are thrown as SpeckitError `DATABASE_UNAVAILABLE`.
 */
export interface CredentialRepository {
  /** The credential is not used for `forMs` from now; never shortens a longer cool-down. */
  readonly coolDown: (name: string, forMs: number, reason: CoolDownReason) => Promise<void>;
  /** Milliseconds until the credential may be used again; 0: now. A name nobody has cooled is fine. */
  readonly coolingForMs: (name: string) => Promise<number>;
}
