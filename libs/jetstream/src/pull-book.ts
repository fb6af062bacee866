/** How a pull ended; see `PullEnd`. */
export type PullStatus = 'done' | 'empty' | 'expired' | 'refused' | 'lost';

/** A pull that has ended. */
export interface EndedPull {
  readonly id: number;
  readonly status: PullStatus;
  /** Messages that it asked for and did not bring, as far as can be told. */
  readonly undelivered: number;
}

interface OpenPull {
  readonly batch: number;
  /** On the clock of `performance.now()`: after that its end was lost on the way. */
  readonly deadline: number;
}

/**
 * Keeps account of the pulls that are out on one consumer. A message does not say which pull it answers, so what may
 * still come is counted for all of them together; only the server's statuses name a pull.
 */
export class PullBook {
  readonly #open = new Map<number, OpenPull>();
  #outstanding = 0;

  /** Messages that may still come. */
  get outstanding(): number {
    return this.#outstanding;
  }

  get size(): number {
    return this.#open.size;
  }

  add(id: number, pull: OpenPull): void {
    this.#open.set(id, pull);
    this.#outstanding += pull.batch;
  }

  /** A message came. When it was the last that was asked for, every pull is done. */
  delivered(): EndedPull[] {
    if (this.#outstanding > 0) this.#outstanding--;
    return this.#doneWhenEmpty();
  }

  /** The server ended a pull; `undelivered` as it says, if it does. */
  ended(id: number, status: PullStatus, undelivered?: number): EndedPull[] {
    const pull = this.#open.get(id);
    if (!pull) return [];
    this.#open.delete(id);
    const rest =
      this.#open.size === 0 ? this.#outstanding : Math.min(undelivered ?? pull.batch, this.#outstanding);
    this.#outstanding -= rest;
    return [{ id, status, undelivered: rest }, ...this.#doneWhenEmpty()];
  }

  /** Ends the pulls whose end should have been heard of by now. */
  expire(now: number): EndedPull[] {
    return [...this.#open]
      .filter(([, pull]) => pull.deadline <= now)
      .flatMap(([id]) => this.ended(id, 'lost'));
  }

  /** Ends all: the connection that they were out on is gone. */
  lose(): EndedPull[] {
    const ids = [...this.#open.keys()];
    return ids.flatMap((id) => this.ended(id, 'lost'));
  }

  #doneWhenEmpty(): EndedPull[] {
    if (this.#outstanding > 0) return [];
    const ids = [...this.#open.keys()];
    this.#open.clear();
    return ids.map((id) => ({ id, status: 'done', undelivered: 0 }));
  }
}
