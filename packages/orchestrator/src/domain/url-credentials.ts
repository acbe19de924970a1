import { SECRET_MASK } from "./secret-forms.ts";

/** Also with the slashes that JSON may escape. */
const WITH_CREDENTIALS = /(https?:(?:\\?\/){2})[^\s"'\\/@]+@/gi;

/** A text with the user and password of each http URL masked: a token can stand in the place of either. */
export function withoutUrlCredentials(text: string): string {
  return text.replace(WITH_CREDENTIALS, `$1${SECRET_MASK}@`);
}
