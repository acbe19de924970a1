import type { Answer } from "../protocol/answer.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";

/** One thing that a scenario's stream says, whatever protocol it is said in. */
export type Heard =
  | { readonly what: "begun" }
  | { readonly what: "text"; readonly text: string }
  | {
      readonly what: "call";
      readonly id: string;
      readonly name: string;
      readonly input: JsonObject;
    }
  | { readonly what: "completed" }
  | { readonly what: "incomplete" }
  | { readonly what: "failed"; readonly code: string; readonly message: string };

/** Reads a stream of the Responses API. */
export function heardIn({ events }: Answer & { readonly kind: "stream" }): readonly Heard[] {
  return events.flatMap((event): readonly Heard[] => {
    switch (event.type) {
      case "response.created":
        return [{ what: "begun" }];
      case "response.output_text.delta":
        return [{ what: "text", text: String(event.delta) }];
      case "response.output_item.done":
        return callIn(event.item);
      case "response.completed":
        return [{ what: "completed" }];
      case "response.incomplete":
        return [{ what: "incomplete" }];
      case "response.failed":
        return [{ what: "failed", ...failureIn(event.response) }];
      default:
        return [];
    }
  });
}

function callIn(item: unknown): readonly Heard[] {
  if (!isJsonObject(item) || item.type !== "function_call") {
    return [];
  }
  const input: unknown = JSON.parse(String(item.arguments));
  return [
    {
      what: "call",
      id: String(item.call_id),
      name: String(item.name),
      input: isJsonObject(input) ? input : {},
    },
  ];
}

function failureIn(response: unknown): { readonly code: string; readonly message: string } {
  const error = isJsonObject(response) && isJsonObject(response.error) ? response.error : {};
  return { code: String(error.code), message: String(error.message) };
}

/** The error of an answer that is one. */
export function errorIn(body: JsonObject): { readonly code: string; readonly message: string } {
  const error = isJsonObject(body.error) ? body.error : {};
  return { code: String(error.code ?? error.type), message: String(error.message) };
}
