import type { Answer } from "./protocol/answer.ts";
import type { JsonObject } from "./protocol/json.ts";

/** A call of the model as it came, before anybody has answered it. */
export interface ModelRequest {
  /** Name of the scenario whose base URL was called. */
  readonly scenario: string;
  /** 1 for the first request of this scenario. */
  readonly ordinal: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** What the model does with a request. It keeps nothing: a request carries its whole conversation. */
export type Scenario = (request: ModelRequest) => Answer | Promise<Answer>;

/**
 * The agent has not done what a test relies on. Thrown by a scenario: the agent gets status 400, and
 * the request's record says why.
 */
export class Complaint extends Error {
  override readonly name = "Complaint";
}
