/** Shorter values cannot be told from ordinary words. */
const SECRET_MIN_LENGTH = 6;

/** What stands in the place of a secret. */
export const SECRET_MASK = "[redacted]";

/**
 * The texts a secret stands in: as it is, URL encoded, JSON escaped, and in base64 (also the one for
 * URLs) wherever it begins in what was encoded. The longest first.
 */
export function secretForms(secrets: readonly string[]): readonly string[] {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= SECRET_MIN_LENGTH)
      .flatMap((secret) => [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        ...[0, 1, 2]
          .map((before) => inBase64(secret, before))
          .flatMap((form) => [form, forUrl(form)]),
      ]),
  );
  return [...forms].sort((a, b) => b.length - a.length);
}

/** Replaces secrets in a text by {@link SECRET_MASK}. */
export function secretMasker(secrets: readonly string[]): (text: string) => string {
  const forms = secretForms(secrets);
  return (text) => forms.reduce((rest, form) => rest.replaceAll(form, SECRET_MASK), text);
}

/** Without the characters at both ends that hold bits of its neighbours too. */
function inBase64(secret: string, before: number): string {
  const bytes = [...new Array<number>(before).fill(0), ...new TextEncoder().encode(secret)];
  const text = btoa(bytes.map((byte) => String.fromCharCode(byte)).join(""));
  const end = text.indexOf("=");
  return text.slice(before === 0 ? 0 : before + 1, end === -1 ? undefined : end - 1);
}

function forUrl(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}
