import { engineError, engineTooSlow } from "./docker-errors.ts";

/** A call of the engine that has an answer; longer and it is taken for hung. */
export const CALL_DEADLINE_MS = 30_000;

/**
 * Asks the engine for something and waits no longer than the deadline: an engine that hangs must not
 * hold a worker.
 *
 * @param call gets the signal that ends the request when the time is over, or the caller's aborts
 * @param doing completes "could not …" for people
 * @throws SpeckitError of the engine; the caller's own reason when `signal` aborts
 */
export async function askEngine<T>(
  doing: string,
  call: (signal: AbortSignal) => Promise<T>,
  {
    deadlineMs = CALL_DEADLINE_MS,
    signal,
  }: { readonly deadlineMs?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  signal?.throwIfAborted();
  const ours = new AbortController();
  const timer = setTimeout(() => ours.abort(engineTooSlow(doing, deadlineMs)), deadlineMs);
  const onAbort = () => ours.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const aborted = new Promise<never>((_, reject) => {
    ours.signal.addEventListener("abort", () => reject(ours.signal.reason), { once: true });
  });
  try {
    return await Promise.race([call(ours.signal), aborted]);
  } catch (error) {
    throw ours.signal.aborted ? ours.signal.reason : engineError(error, doing);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A deadline that starts anew with every sign of progress; for what may take as long as it moves. */
export class ProgressDeadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #doing: string;
  readonly #deadlineMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param outer aborts it with its own reason */
  constructor(doing: string, deadlineMs = CALL_DEADLINE_MS, outer?: AbortSignal) {
    this.#doing = doing;
    this.#deadlineMs = deadlineMs;
    this.#outer = outer;
    this.#onAbort = () => this.#controller.abort(outer?.reason);
    outer?.addEventListener("abort", this.#onAbort, { once: true });
    if (outer?.aborted === true) {
      this.#onAbort();
    }
    this.moved();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something moved, and now it is the engine's turn. */
  moved(): void {
    this.hold();
    this.#timer = setTimeout(
      () => this.#controller.abort(engineTooSlow(this.#doing, this.#deadlineMs)),
      this.#deadlineMs,
    );
  }

  /** It is our turn: what that takes is not the engine's fault. */
  hold(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.hold();
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}
