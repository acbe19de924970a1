import { createParser } from "eventsource-parser";
import { resetOfStreamedError } from "./reset-time.ts";
import { codeOf, fieldsOf, parsedJson, type Sighting, sightingOf } from "./sighting.ts";

/** Largest event that is read; a response's last event repeats all it has made. */
const MAX_EVENT_CHARACTERS = 8 * 1024 * 1024;
const MAX_JSON_BYTES = 8 * 1024 * 1024;

/** Reads an answer as it passes by. Never throws, holds bounded memory, changes nothing. */
export interface AnswerWatch {
  /** @returns what the answer has said about its end, the first time it says so */
  readonly see: (chunk: Uint8Array) => Sighting | undefined;
  /** The answer has come to its end. @returns as `see`, for what only an end can tell */
  readonly end: () => Sighting | undefined;
}

/** @param contentType of the answer: a stream of events, or one JSON document; else nothing is read */
export function watchAnswer(contentType: string, now: () => Date): AnswerWatch {
  if (contentType.includes("text/event-stream")) {
    return watchEvents(now);
  }
  return contentType.includes("json")
    ? watchJson(now)
    : { see: () => undefined, end: () => undefined };
}

const ENDS: Readonly<Record<string, Sighting["outcome"]>> = {
  "response.completed": "completed",
  "response.failed": "failed",
  "response.incomplete": "failed",
};

function watchEvents(now: () => Date): AnswerWatch {
  const text = new TextDecoder();
  let seen: Sighting | undefined;
  let isTooLarge = false;
  let isBlind = false;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent({ event, data }) {
      if (seen === undefined && mayBeEnd(event, data)) {
        seen = endOf(parsedJson(data), now());
      }
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
    end: () => (isBlind && seen === undefined ? UNREAD : undefined),
  };
}

const UNREAD: Sighting = {
  outcome: "completed",
  errorCode: null,
  resetsInMs: null,
  usage: null,
};

/** Cheap: a stream has thousands of events, and only its last one is worth parsing. */
function mayBeEnd(event: string | undefined, data: string): boolean {
  return event === undefined
    ? /"(?:response\.(?:completed|failed|incomplete)|error)"/.test(data)
    : Object.hasOwn(ENDS, event) || event === "error";
}

function endOf(event: unknown, now: Date): Sighting | undefined {
  const { type, response, error } = fieldsOf(event);
  if (type === "error") {
    // Its fields stand in the event itself or in an object of its own.
    const told = error ?? { ...fieldsOf(event), type: undefined };
    return {
      outcome: "failed",
      errorCode: codeOf(told),
      resetsInMs: resetOfStreamedError(told, now),
      usage: null,
    };
  }
  const outcome = typeof type === "string" && Object.hasOwn(ENDS, type) ? ENDS[type] : undefined;
  return outcome === undefined ? undefined : sightingOf(response, now, outcome);
}

function watchJson(now: () => Date): AnswerWatch {
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
    end: () => sightingOf(parsedJson(Buffer.concat(chunks).toString("utf8")), now()),
  };
}
