/** What is known of a run when one of its wake-ups arrives, by the database's clock. */
export interface DeliveryFacts {
  readonly cleaned: boolean;
  readonly ended: boolean;
  /** `free` also when it has expired, or lies so far ahead that a clock must have jumped. */
  readonly lease: "free" | "mine" | "other";
  readonly cancelRequested: boolean;
  readonly due: boolean;
  readonly needsInput: boolean;
}

export type DeliveryDecision =
  | { readonly do: "claim" }
  | { readonly do: "ignore"; readonly because: IgnoreReason };

export type IgnoreReason =
  | "no such run"
  | "the run is over"
  | "this worker has it"
  | "another worker has it"
  | "it is not due";

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
  if (facts.lease === "mine") {
    return ignore("this worker has it");
  }
  if (facts.lease === "other") {
    return ignore("another worker has it");
  }
  if (facts.ended || facts.cancelRequested) {
    return { do: "claim" };
  }
  if (!facts.due || facts.needsInput) {
    return ignore("it is not due");
  }
  return { do: "claim" };
}

function ignore(because: IgnoreReason): DeliveryDecision {
  return { do: "ignore", because };
}
