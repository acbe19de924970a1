import type { Answer } from "../protocol/answer.ts";
import type { JsonObject } from "../protocol/json.ts";

/** What a path asks for: an answer that streams or comes whole, how long a text is, or what there is. */
export type AskedFor = "stream" | "document" | "count" | "models";

/**
 * How one provider is spoken with. Scenarios answer in the words of the Responses API; the other
 * protocols say the same in theirs.
 */
export interface Protocol {
  /** What a base URL ends with, behind the scenario's name. */
  readonly base: string;
  /** @param path behind the base, with its query */
  readonly askedFor: (method: string, path: string, body: JsonObject) => AskedFor | undefined;
  readonly keyOf: (headers: Readonly<Record<string, string>>) => string | undefined;
  /** Why a request is none of this protocol's; undefined: it is one. */
  readonly complaintAbout: (headers: Readonly<Record<string, string>>) => string | undefined;
  readonly inItsWords: (answer: Answer, asked: AskedFor) => Answer;
  /** What is no scenario's to answer. */
  readonly count: JsonObject;
  readonly models: JsonObject;
}
