/**
 * Stops one attempt from outside. As an AbortController for one listener; nothing is made until it is used, since hardly
 * any attempt is stopped.
 */
export class Interrupt {
  #aborted = false;
  #reason: unknown;
  #listener: ((reason: unknown) => void) | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** With what `Cancel()` makes as its reason the job is cancelled; with anything else the attempt is interrupted. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#listener?.(reason);
  }

  /** Calls `listener` at the abort, in place of the one before. Returns how to stop that. */
  listen(listener: (reason: unknown) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }
}
