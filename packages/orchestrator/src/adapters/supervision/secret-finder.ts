import { secretForms } from "../../domain/secret-forms.ts";

/** Looks for secrets in bytes that come in pieces. */
export class SecretFinder {
  readonly #forms: readonly string[];
  readonly #longest: number;
  #before = "";

  constructor(secrets: readonly string[]) {
    this.#forms = secretForms(secrets).map((form) => Buffer.from(form).toString("latin1"));
    this.#longest = Math.max(0, ...this.#forms.map((form) => form.length));
  }

  /** @returns whether one ends in this piece */
  isIn(piece: Uint8Array): boolean {
    if (this.#forms.length === 0) {
      return false;
    }
    const text = this.#before + Buffer.from(piece).toString("latin1");
    this.#before = text.slice(Math.max(0, text.length - this.#longest + 1));
    return this.#forms.some((form) => text.includes(form));
  }
}
