const MARKER = /^<!-- speckit:run ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) -->\r?$/im;

/** The line nobody sees that says whose pull request it is. */
export function runMarker(runId: string): string {
  return `<!-- speckit:run ${runId} -->`;
}

/** Where a body's marker is, and whose it is; undefined when it has none. See {@link runIdOf}. */
export function findRunMarker(
  body: string,
): { readonly index: number; readonly runId: string } | undefined {
  const found = MARKER.exec(body);
  return found?.[1] === undefined
    ? undefined
    : { index: found.index, runId: found[1].toLowerCase() };
}

/**
 * The run that a pull request's body names, in lower case; undefined when it names none. People may
 * have written above and below: the first marker on a line of its own counts, and texts of others in
 * our bodies cannot hold one.
 */
export function runIdOf(body: string): string | undefined {
  return findRunMarker(body)?.runId;
}
