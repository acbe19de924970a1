const MASK = "[redacted]";
/** Shorter values would mask ordinary words. */
const MIN_LENGTH = 6;

/**
 * Replaces secrets by their value, also where they stand base64 or URL encoded or JSON escaped. By
 * value and not by field name: an error message can hold what no field says.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= MIN_LENGTH)
      .flatMap((secret) => [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        // Without padding: the same bytes may stand before others.
        Buffer.from(secret).toString("base64").replace(/=+$/, ""),
      ]),
  );
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, form) => rest.replaceAll(form, MASK), text);
}
