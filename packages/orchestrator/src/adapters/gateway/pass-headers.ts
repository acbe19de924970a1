import type { IncomingHttpHeaders } from "node:http";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** They speak of one connection, not of the message (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What an agent sends and its provider is not told. */
const NOT_UPSTREAM = new Set([
  ...HOP_BY_HOP,
  // Ours replaces them: the agent decides neither who pays nor as whom it speaks.
  "authorization",
  "api-key",
  "x-api-key",
  "x-goog-api-key",
  "x-goog-user-project",
  "openai-organization",
  "openai-project",
  "cookie",
  "host",
  "content-length",
  "expect",
  // A packed answer could not be read on its way.
  "accept-encoding",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  // They make another request of this one than the one that was looked at.
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  // Names folders of this machine and the state of the repository.
  "x-codex-turn-metadata",
]);

const NOT_BACK = new Set([...HOP_BY_HOP, "set-cookie", "alt-svc"]);

/** @param own of the upstream, by lower-case name; they win */
export function headersUpstream(
  asked: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
): Record<string, string | string[]> {
  return { ...passed(asked, NOT_UPSTREAM), "accept-encoding": "identity", ...own };
}

export function headersBack(answered: Headers): Record<string, string | string[]> {
  return passed(answered, NOT_BACK);
}

function passed(headers: Headers, held: ReadonlySet<string>): Record<string, string | string[]> {
  const named = new Set(
    String(headers.connection ?? "")
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
  const through: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !held.has(name) && !named.has(name)) {
      through[name] = value;
    }
  }
  return through;
}
