import { SECRET_MASK, secretForms } from "../../domain/secret-forms.ts";

/**
 * Masks secrets in a stream of bytes, also where one comes in several pieces: what may be the
 * beginning of one is held back until it is known. Never more than the longest form of a secret.
 */
export class SecretMask {
  readonly #forms: readonly string[];
  readonly #longest: number;
  #held = "";

  constructor(secrets: readonly string[]) {
    // Bytes as characters, one each: what is no UTF-8 passes as it is.
    this.#forms = secretForms(secrets).map((form) => Buffer.from(form).toString("latin1"));
    this.#longest = Math.max(0, ...this.#forms.map((form) => form.length));
  }

  /** @returns what is known by now; a piece without a secret is returned as it is */
  push(piece: Uint8Array): Uint8Array {
    if (this.#forms.length === 0) {
      return piece;
    }
    const text = this.#held + Buffer.from(piece).toString("latin1");
    return Buffer.from(
      this.#mask(text, (from) => this.#beginning(text, from)),
      "latin1",
    );
  }

  /** What was held back, when no more comes. */
  end(): Uint8Array {
    return Buffer.from(
      this.#mask(this.#held, () => this.#held.length),
      "latin1",
    );
  }

  /** @param beginningOf where a secret may begin that ends in a later piece */
  #mask(text: string, beginningOf: (from: number) => number): string {
    let masked = "";
    const found = this.#finder(text);
    for (let at = 0; ; ) {
      const open = beginningOf(at);
      const next = found(at);
      // One that began before, or at the same place and is longer, is waited for.
      if (next === undefined || next.index >= open) {
        this.#held = text.slice(open);
        return masked + text.slice(at, open);
      }
      masked += text.slice(at, next.index) + SECRET_MASK;
      at = next.index + next.form.length;
    }
  }

  /**
   * Finds the first form of a secret from an index on, which only grows; of several there the longest.
   * Each form is looked for once along the text, however many there are.
   */
  #finder(text: string): (from: number) => Found | undefined {
    const places = this.#forms.map((form) => ({ form, index: text.indexOf(form) }));
    return (from) => {
      let first: Found | undefined;
      for (const place of places) {
        if (place.index !== -1 && place.index < from) {
          place.index = text.indexOf(place.form, from);
        }
        if (place.index !== -1 && (first === undefined || place.index < first.index)) {
          first = place;
        }
      }
      return first;
    };
  }

  /** The least index from which the rest of a text is the beginning of a form; its length when there is none. */
  #beginning(text: string, from: number): number {
    for (let at = Math.max(from, text.length - this.#longest + 1); at < text.length; at++) {
      const rest = text.slice(at);
      if (this.#forms.some((form) => form.length > rest.length && form.startsWith(rest))) {
        return at;
      }
    }
    return text.length;
  }
}

interface Found {
  readonly index: number;
  readonly form: string;
}
