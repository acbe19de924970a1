const MAX_NAME = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Readers of addresses take what ends so for IPv4, in decimal, octal or hexadecimal, dots left out or not. */
const NUMERIC = /^(?:\d+|0x[0-9a-f]*)$/;

/**
 * The one form of a host's name that is compared with others: lower case, ASCII, at least two labels, no
 * dot at its end.
 *
 * @returns undefined for what is no such name, above all for an address in whatever notation
 */
export function hostNameOf(text: string): string | undefined {
  const name = text.toLowerCase();
  const labels = name.split(".");
  const isName =
    name.length <= MAX_NAME &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label)) &&
    !NUMERIC.test(labels.at(-1) ?? "");
  // Some letters outside of ASCII have a lower case inside.
  return isName && /^[\x21-\x7e]+$/.test(text) ? name : undefined;
}
