import { createHash, timingSafeEqual } from "node:crypto";

/** Whether a request's `authorization` carries the token. Takes as long for a near miss as for a far one. */
export function hasToken(authorization: string | undefined, token: string): boolean {
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** Of one length whatever the text's is. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
