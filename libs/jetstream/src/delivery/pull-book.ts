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

const NONE: readonly EndedPull[] = [];

/**
 * Keeps account of the pulls that are out on one consumer. A message does not say which pull it answers, so what may
 * still come is counted for all of them together; only the server's statuses name a pull.
 */
export class PullBook {
  readonly #open = new Map<number, OpenPull>();
  /** Pulls that were taken for done while later ones were open, with their deadlines: the server may yet say otherwise. */
  readonly #early = new Map<number, number>();
  /** What the open pulls asked for. */
  #asked = 0;
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
    this.#asked += pull.batch;
    this.#outstanding += pull.batch;
  }

  /** A message came. A pull is done when no more is to come than the later ones asked for. */
  delivered(): readonly EndedPull[] {
    if (this.#outstanding > 0) this.#outstanding--;
    return this.#done();
  }

  /** The server ended a pull; `undelivered` as it says, if it does. */
  ended(id: number, status: PullStatus, undelivered?: number): EndedPull[] {
    const pull = this.#open.get(id);
    // Not each status says how much is missing; where one comes, at least one message is.
    if (!pull) return this.#correct(id, undelivered ?? (status === 'done' ? 0 : 1));
    this.#open.delete(id);
    this.#asked -= pull.batch;
    const rest =
      this.#open.size === 0 ? this.#outstanding : Math.min(undelivered ?? pull.batch, this.#outstanding);
    this.#outstanding -= rest;
    return [{ id, status, undelivered: rest }, ...this.#done()];
  }

  /** Ends the pulls whose end should have been heard of by now. */
  expire(now: number): EndedPull[] {
    for (const [id, deadline] of this.#early) if (deadline <= now) this.#early.delete(id);
    return [...this.#open]
      .filter(([, pull]) => pull.deadline <= now)
      .flatMap(([id]) => this.ended(id, 'lost'));
  }

  /** Ends all: the connection that they were out on is gone. */
  lose(): EndedPull[] {
    const ids = [...this.#open.keys()];
    return ids.flatMap((id) => this.ended(id, 'lost'));
  }

  /** The server answers open pulls in turns: what a pull that seemed done did not bring has come for a later one. */
  #correct(id: number, undelivered: number): EndedPull[] {
    if (!this.#early.delete(id)) return [];
    this.#outstanding -= Math.min(undelivered, this.#outstanding);
    return [...this.#done()];
  }

  #done(): readonly EndedPull[] {
    let done: EndedPull[] | undefined;
    for (const [id, { batch, deadline }] of this.#open) {
      if (this.#outstanding > this.#asked - batch) break;
      this.#open.delete(id);
      this.#early.set(id, deadline);
      this.#asked -= batch;
      done ??= [];
      done.push({ id, status: 'done', undelivered: 0 });
    }
    if (this.#open.size === 0) this.#early.clear();
    return done ?? NONE;
  }
}
