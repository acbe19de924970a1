const mask = "[redacted]";
/** Shorter values cannot be told from ordinary words. */
const minLength = 6;

/**
 * Masks secrets in a stream of bytes: as they are, URL encoded, JSON escaped and in base64, also where one comes in
 * several pieces. What may be the beginning of one is held back until it is known, never more than the longest form.
 *
 * The worker masks what processes print in the same way; here it is done before the engine's log has it.
 */
export class SecretMask {
  #forms;
  #longest;
  #held = "";

  /** @param {string[]} secrets */
  constructor(secrets) {
    // Bytes as characters, one each: what is no UTF-8 passes as it is.
    this.#forms = formsOf(secrets).map((form) => Buffer.from(form).toString("latin1"));
    this.#longest = Math.max(0, ...this.#forms.map((form) => form.length));
  }

  /**
   * @param {Buffer} piece
   * @returns {Buffer} what is known by now
   */
  push(piece) {
    if (this.#forms.length === 0) return piece;
    const text = this.#held + piece.toString("latin1");
    return Buffer.from(
      this.#mask(text, (from) => this.#beginning(text, from)),
      "latin1",
    );
  }

  /** What was held back, when no more comes. */
  end() {
    const text = this.#held;
    return Buffer.from(
      this.#mask(text, () => text.length),
      "latin1",
    );
  }

  /**
   * @param {string} text
   * @param {(from: number) => number} beginningOf where a secret may begin that ends in a later piece
   */
  #mask(text, beginningOf) {
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
      masked += text.slice(at, next.index) + mask;
      at = next.index + next.form.length;
    }
  }

  /**
   * Finds the first form of a secret from an index on, which only grows; of several there the longest. Each form is
   * looked for once along the text, however many there are.
   *
   * @param {string} text
   */
  #finder(text) {
    const places = this.#forms.map((form) => ({ form, index: text.indexOf(form) }));
    return (/** @type {number} */ from) => {
      /** @type {{ form: string, index: number } | undefined} */
      let first;
      for (const place of places) {
        if (place.index !== -1 && place.index < from) {
          place.index = text.indexOf(place.form, from);
        }
        if (place.index !== -1 && (first === undefined || place.index < first.index)) first = place;
      }
      return first;
    };
  }

  /**
   * The least index from which the rest of a text is the beginning of a form; its length when there is none.
   *
   * @param {string} text
   * @param {number} from
   */
  #beginning(text, from) {
    for (let at = Math.max(from, text.length - this.#longest + 1); at < text.length; at++) {
      const rest = text.slice(at);
      if (this.#forms.some((form) => form.length > rest.length && form.startsWith(rest))) return at;
    }
    return text.length;
  }
}

/** @param {string[]} secrets */
function formsOf(secrets) {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= minLength)
      .flatMap((secret) => [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        ...[0, 1, 2]
          .map((before) => inBase64(secret, before))
          .flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]),
      ]),
  );
  return [...forms].sort((a, b) => b.length - a.length);
}

/**
 * Without the characters at both ends that hold bits of its neighbours too.
 *
 * @param {string} secret
 * @param {number} before
 */
function inBase64(secret, before) {
  const text = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString("base64");
  const end = text.indexOf("=");
  return text.slice(before === 0 ? 0 : before + 1, end === -1 ? undefined : end - 1);
}
