import type { Protocol } from "./protocol.ts";

/** OpenAI's Responses API: what scenarios speak. */
export const openai: Protocol = {
  base: "/v1",
  askedFor: (method, path) =>
    /^\/responses(?:\?|$)/.test(path)
      ? "stream"
      : method === "GET" && /^\/models(?:\?|$)/.test(path)
        ? "models"
        : undefined,
  keyOf: ({ authorization }) => /^Bearer (\S+)$/.exec(authorization ?? "")?.[1],
  complaintAbout: () => undefined,
  inItsWords: (answer) => answer,
  count: {},
  models: { object: "list", data: [] },
};
