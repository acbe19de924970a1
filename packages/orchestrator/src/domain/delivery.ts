/** What is known of a run when one of its wake-ups arrives, by the database's clock. */
export interface DeliveryFacts {
  readonly cleaned: boolean;
  readonly ended: boolean;
  /**
   * `free` also when it has expired, or lies so far ahead that a clock must have jumped, or is the
   * worker's own: it asks only for what it has not in hand, so this is a claim whose answer was lost.
   */
  readonly lease: "free" | "other";
  /**
   * Why the owner may be dead: the broker delivered the wake-up again, so whoever had it is gone; or
   * the wake-up itself names the run's epoch, because somebody who got it like that sent it on.
   */
  readonly suspicion: "none" | "redelivered" | "epoch";
  /** The owner's database session is gone; false also when that cannot be told. */
  readonly ownerIsGone: boolean;
  readonly cancelRequested: boolean;
  /** A run that has asked is due when nobody has answered in time. */
  readonly due: boolean;
  /**
   * Where the open attempt's container is, as the asking worker sees it: nowhere, or on the engine it
   * works with; on another one; on another one that is lost, since no worker of it has been heard of.
   */
  readonly job: "none" | "here" | "elsewhere" | "lost";
}

export type DeliveryDecision =
  | { readonly do: "claim" }
  /** Come again in a moment, with the epoch: the database may not have noticed yet that the owner is gone. */
  | { readonly do: "ask_again" }
  /** Only workers of the engine that has its container can go on with it. */
  | { readonly do: "send_to_engine" }
  | { readonly do: "ignore"; readonly because: IgnoreReason };

export const IGNORE_REASONS = [
  "no such run",
  "the run is over",
  "another worker has it",
  "it is not due",
] as const;
export type IgnoreReason = (typeof IGNORE_REASONS)[number];

/**
 * Whether a wake-up may start a run. A wake-up carries no state and gives no right: any of them may
 * claim a run that is due and unowned; every other one is acked and forgotten, so wake-ups die when
 * they meet and never breed. The first matching line wins.
 */
export function judgeDelivery(facts: DeliveryFacts | undefined): DeliveryDecision {
  if (facts === undefined) {
    return ignore("no such run");
  }
  if (facts.cleaned) {
    return ignore("the run is over");
  }
  if (facts.lease === "other") {
    return judgeOwner(facts);
  }
  if (facts.ended || facts.cancelRequested) {
    return { do: "claim" };
  }
  if (!facts.due) {
    return ignore("it is not due");
  }
  // A lost one is claimed too: its owner gives the attempt up and waits before it starts another.
  return facts.job === "elsewhere" ? { do: "send_to_engine" } : { do: "claim" };
}

/**
 * A wrong "gone" costs the owner its work and is harmless, since it is fenced; a wrong "alive" costs
 * the wait for the lease. Asking again happens once per epoch, so these wake-ups do not breed either.
 */
function judgeOwner({ suspicion, ownerIsGone }: DeliveryFacts): DeliveryDecision {
  if (suspicion !== "none" && ownerIsGone) {
    return { do: "claim" };
  }
  return suspicion === "redelivered" ? { do: "ask_again" } : ignore("another worker has it");
}

function ignore(because: IgnoreReason): DeliveryDecision {
  return { do: "ignore", because };
}
