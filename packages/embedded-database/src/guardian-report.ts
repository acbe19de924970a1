import type { EmbeddedDatabaseFailure } from "./embedded-database-error.ts";
import type { IdentityKind } from "./server-identity.ts";

/** What a guardian is told: its one argument, as JSON. */
export interface GuardianOrders {
  readonly stateDir: string;
  readonly idleStopMs: number;
  readonly identities?: readonly IdentityKind[] | undefined;
}

/**
 * What a guardian says to the command that started it; after anything but a notice it says no more.
 */
export type GuardianReport =
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "ready"; readonly started: boolean }
  /** Another guardian has the lock. */
  | { readonly kind: "busy" }
  | { readonly kind: "failed"; readonly failure: EmbeddedDatabaseFailure };
