import { type WakeUp, wakeUpSchema } from "../../contract/wake-up.ts";
import { type Failure, failure } from "../../domain/failure.ts";
import type { WakeUpRoute } from "../../ports/transport.ts";
import type { Publication } from "./confirming-publisher.ts";
import { namesOf, ROUTING_KEYS } from "./topology.ts";

/** A wake-up has some 60 bytes; what is much larger is none and is not parsed. */
const MAX_WAKE_UP_BYTES = 4_096;

export function wakeUpPublication(prefix: string, wakeUp: WakeUp, route: WakeUpRoute): Publication {
  const names = namesOf(prefix);
  const isDelayed = route.to === "work" && "afterMs" in route;
  return {
    exchange: isDelayed ? names.retry(route.afterMs) : names.work,
    // A delayed message keeps its key: the retry queue hands it on to the same place.
    routingKey: routingKeyOf(route),
    body: Buffer.from(JSON.stringify(wakeUp)),
    // Of an engine that no worker serves any more, the sweeper's look brings the run to another one.
    mustBeRouted: route.to !== "engine",
    properties: { contentType: "application/json" },
  };
}

function routingKeyOf(route: WakeUpRoute): string {
  switch (route.to) {
    case "start":
      return ROUTING_KEYS.start;
    case "work":
      return ROUTING_KEYS.wake;
    case "engine":
      return ROUTING_KEYS.engine(route.engineId);
  }
}

/** The wake-up in a message, or why there is none. */
export function readWakeUp(
  body: Buffer,
): { readonly wakeUp: WakeUp } | { readonly failure: Failure } {
  if (body.length > MAX_WAKE_UP_BYTES) {
    return unreadable(`it has ${body.length} bytes, at most ${MAX_WAKE_UP_BYTES} are read`);
  }
  let received: unknown;
  try {
    received = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return unreadable("it is not a JSON document in UTF-8");
  }
  const parsed = wakeUpSchema.safeParse(received);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return unreadable(`${issue?.path.join(".") || "it"}: ${issue?.message}`);
  }
  return { wakeUp: parsed.data };
}

function unreadable(why: string): { readonly failure: Failure } {
  return {
    failure: failure("WAKE_UP_UNREADABLE", `The message is not a wake-up {v: 1, runId}: ${why}`),
  };
}
