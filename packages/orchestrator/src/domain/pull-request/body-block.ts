import { findRunMarker, runMarker } from "./run-marker.ts";

/**
 * What we write into a pull request's body stands between two comments nobody sees:
 *
 *     <!-- speckit:run 0197… -->
 *     …
 *     <!-- speckit:end title=1f3870be -->
 *
 * so that a later update replaces exactly that and keeps what people wrote around it. The second one
 * also says what our title was, by its fingerprint: one that people changed is known by it.
 */
const END = /<!-- speckit:end title=([0-9a-f]{8}) -->/;

/** GitHub's own limit, in characters. */
export const PULL_REQUEST_BODY_LIMIT = 65_536;

/** Our part of a body as it is written: `body` with the marker before and the end after it. */
export function bodyBlock(runId: string, title: string, body: string): string {
  // Also a marker in a quoted text is not the block's own: that is the first thing in it.
  const begin = findRunMarker(body)?.index === 0 ? "" : `${runMarker(runId)}\n`;
  // What is quoted in our own text cannot end the block early.
  const inner = body.replaceAll(new RegExp(END, "g"), "").trimEnd();
  return `${begin}${inner}\n\n<!-- speckit:end title=${fingerprint(title)} -->`;
}

/**
 * A body with our block replaced and everything around it kept.
 *
 * @returns undefined when it no longer has a whole block, or would be too long: it belongs to people
 */
export function withBlockReplaced(present: string, block: string): string | undefined {
  const text = present.replaceAll("\r\n", "\n");
  const begin = findRunMarker(text);
  const end = begin === undefined ? null : END.exec(text.slice(begin.index));
  if (begin === undefined || end === null) {
    return undefined;
  }
  const after = begin.index + end.index + end[0].length;
  const body = `${text.slice(0, begin.index)}${block}${text.slice(after)}`;
  return body.length > PULL_REQUEST_BODY_LIMIT ? undefined : body;
}

/** Whether a title is still the one that our block in this body was written with. */
export function isOurTitle(title: string, body: string): boolean {
  return END.exec(body)?.[1] === fingerprint(title);
}

/** FNV-1a: nothing depends on it but whether a title was changed. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text.trim())) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}
