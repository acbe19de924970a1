import { message, turn } from "../protocol/turn.ts";
import type { Scenario } from "../scenario.ts";

/** Says that it is done, at once. */
export const ok: Scenario = () => turn(message("Done."));

/** Says that it is done, with a pause before each event of the stream. */
export function slow(pauseMs: number): Scenario {
  return () => ({ ...turn(message("Done, in the end.")), pauseMs });
}

/** One answer for the first requests, another scenario for all that follow. */
export function firstRequests(count: number, answer: Scenario, then: Scenario): Scenario {
  return (request) => (request.ordinal <= count ? answer(request) : then(request));
}
