import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Answer, StreamEvent } from "./answer.ts";

/** Puts an answer on the wire. Resolves when there is nothing more to send, or nobody to send it to. */
export async function sendAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case "silence":
      return;
    case "json":
      response.writeHead(answer.status, {
        "content-type": "application/json",
        ...answer.headers,
      });
      response.end(JSON.stringify(answer.body));
      return;
    case "stream":
      return sendStream(response, answer);
  }
}

async function sendStream(
  response: ServerResponse,
  { events, ending, pauseMs = 0 }: Answer & { readonly kind: "stream" },
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  for (const event of events) {
    if (pauseMs > 0) {
      await pause(pauseMs);
    }
    if (response.destroyed) {
      return;
    }
    await write(response, framed(event));
  }
  if (ending === "end") {
    response.end();
  } else if (ending === "cut") {
    response.destroy();
  }
}

function framed(event: StreamEvent): string {
  const name = event.type === undefined ? "" : `event: ${event.type}\n`;
  return `${name}data: ${JSON.stringify(event)}\n\n`;
}

/** Resolves when the bytes are with the system: a cut right after them takes nothing back. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => void response.write(text, () => resolve()));
}
