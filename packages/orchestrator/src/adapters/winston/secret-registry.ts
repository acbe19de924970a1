import { SECRET_MASK, secretForms } from "../../domain/secret-forms.ts";

/** A line is searched for several forms of each: some 0.1 ms for all of them. */
const DEFAULT_MAX_ADDED = 256;

/**
 * Secrets to mask, some known from the start, others learned on the way. Of the learned ones only the
 * newest are kept, so that a process that lives for months does not slow down.
 */
export class SecretRegistry {
  readonly #fixed: readonly string[];
  readonly #added = new Set<string>();
  readonly #maxAdded: number;
  #forms: readonly string[];

  /** @param maxAdded how many learned secrets are kept, at least 1 */
  constructor(fixed: readonly string[], maxAdded = DEFAULT_MAX_ADDED) {
    this.#fixed = fixed;
    this.#maxAdded = maxAdded;
    this.#forms = secretForms(fixed);
  }

  /** From now on it is masked. One that is known already counts as new. */
  add(secret: string): void {
    if (this.#added.delete(secret)) {
      this.#added.add(secret);
      return;
    }
    this.#added.add(secret);
    for (const oldest of this.#added) {
      if (this.#added.size <= this.#maxAdded) {
        break;
      }
      this.#added.delete(oldest);
    }
    this.#forms = secretForms([...this.#fixed, ...this.#added]);
  }

  mask(text: string): string {
    return this.#forms.reduce((rest, form) => rest.replaceAll(form, SECRET_MASK), text);
  }
}
