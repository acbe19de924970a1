import type { IncomingMessage, ServerResponse } from "node:http";

/** The name that goes with an egress token in proxy credentials. */
export const PROXY_USER = "egress";

/**
 * The token of a request's proxy credentials.
 *
 * @returns undefined where there are none of ours, or more than one
 */
export function proxyTokenOf(request: IncomingMessage): string | undefined {
  const [given, ...more] = headersOf(request, "proxy-authorization");
  const [, encoded = ""] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(given ?? "") ?? [];
  const [user, token, ...rest] = Buffer.from(encoded, "base64").toString("latin1").split(":");
  const isOurs = more.length === 0 && rest.length === 0 && user === PROXY_USER;
  return isOurs && token !== "" ? token : undefined;
}

/** A CONNECT has no body: one that says it has is read differently by different readers. */
export function saysItHasBody(request: IncomingMessage): boolean {
  return ["content-length", "transfer-encoding", "expect", "upgrade"].some(
    (name) => headersOf(request, name).length > 0,
  );
}

function headersOf({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter(
    (_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name,
  );
}

/**
 * Refuses a request that would have us fetch something: tunnels are all that is open, since what is in
 * them is between the agent and a server that has shown a certificate.
 *
 * @returns whether it was one
 */
export function refuseForwarding(request: IncomingMessage, response: ServerResponse): boolean {
  const { url = "" } = request;
  if (url.startsWith("/") || url === "*") {
    return false;
  }
  const body =
    "forwarding_refused: plain HTTP is not forwarded; use https, which goes by CONNECT\n";
  response.writeHead(405, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    allow: "CONNECT",
    connection: "close",
  });
  response.end(body);
  request.resume();
  return true;
}
