import { createParser } from "eventsource-parser";
import type { ModelUsage } from "../../ports/model-gateway.ts";
import type { AnswerReader, ProviderShape } from "./shapes/provider-shape.ts";
import { parsedJson, type Sighting } from "./sighting.ts";

/** Largest event that is read; a response's last event repeats all it has made. */
const MAX_EVENT_CHARACTERS = 8 * 1024 * 1024;
const MAX_JSON_BYTES = 8 * 1024 * 1024;

/** Reads an answer as it passes by. Never throws, holds bounded memory, changes nothing. */
export interface AnswerWatch {
  /** @returns what the answer has said about its end, the first time it says so */
  readonly see: (chunk: Uint8Array) => Sighting | undefined;
  /** The answer has come to its end. @returns as `see`, for what only an end can tell */
  readonly end: () => Sighting | undefined;
  /** Tokens as far as they were told. */
  readonly usage: () => ModelUsage | null;
}

/** @param contentType of the answer: a stream of events, or one JSON document; else nothing is read */
export function watchAnswer(
  contentType: string,
  now: () => Date,
  { readAnswer }: Pick<ProviderShape, "readAnswer">,
): AnswerWatch {
  const reader = readAnswer(now);
  if (contentType.includes("text/event-stream")) {
    return watchEvents(reader);
  }
  return contentType.includes("json")
    ? watchJson(reader)
    : { see: () => undefined, end: () => undefined, usage: () => null };
}

function watchEvents(reader: AnswerReader): AnswerWatch {
  const text = new TextDecoder();
  let seen: Sighting | undefined;
  let isTooLarge = false;
  let isBlind = false;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent({ event, data }) {
      seen ??= reader.event(event, data);
    },
    onError({ type }) {
      isTooLarge ||= type === "max-buffer-size-exceeded";
    },
  });
  return {
    see(chunk) {
      if (seen !== undefined) {
        return undefined;
      }
      parser.feed(text.decode(chunk, { stream: true }));
      if (isTooLarge) {
        // An event that cannot be read whole is left out; the next one is waited for.
        parser.reset();
        isTooLarge = false;
        isBlind = true;
      }
      return seen;
    },
    // What was not read may have been the end; a stream that ends in good order has had one.
    end: () => (isBlind && seen === undefined ? { ...UNREAD, usage: reader.usage() } : undefined),
    usage: reader.usage,
  };
}

const UNREAD: Sighting = {
  outcome: "completed",
  errorCode: null,
  resetsInMs: null,
  usage: null,
};

function watchJson(reader: AnswerReader): AnswerWatch {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return {
    see(chunk) {
      bytes += chunk.length;
      if (bytes <= MAX_JSON_BYTES) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
      }
      return undefined;
    },
    end: () => reader.document(parsedJson(Buffer.concat(chunks).toString("utf8"))),
    usage: reader.usage,
  };
}
