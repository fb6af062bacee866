/**
 * Memory shared with the keep-alive thread, which must see what the main thread does even while that is blocked:
 * cell 0 is the time of the event loop's last turn, cell 1 + n the hard deadline of the handler in slot n (0: none).
 * Milliseconds of `processTime`.
 */
export class Slots {
  readonly #cells: Float64Array;
  readonly #free: number[];

  constructor(from: { concurrency: number } | { memory: SharedArrayBuffer }) {
    const memory =
      'memory' in from
        ? from.memory
        : new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * (from.concurrency + 1));
    this.#cells = new Float64Array(memory);
    this.#free = Array.from({ length: this.#cells.length - 1 }, (_, index) => index + 1);
  }

  get memory(): SharedArrayBuffer {
    return this.#cells.buffer as SharedArrayBuffer;
  }

  /** How many slots are free. */
  get free(): number {
    return this.#free.length;
  }

  /** Takes a slot for a handler with this deadline; the caller has looked at `free`. */
  take(deadline: number): number {
    const slot = this.#free.pop();
    if (slot === undefined) throw new Error('no slot is free; the caller starts no handler without one');
    this.#cells[slot] = deadline;
    return slot;
  }

  give(slot: number): void {
    this.#cells[slot] = 0;
    this.#free.push(slot);
  }

  /** Says that the event loop turns. */
  beat(now: number): void {
    this.#cells[0] = now;
  }

  /** When the event loop last turned. */
  get lastBeat(): number {
    return this.#cells[0] ?? 0;
  }

  /** The earliest deadline of a running handler. */
  get earliestDeadline(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const deadline of this.#cells.subarray(1)) {
      if (deadline !== 0 && deadline < earliest) earliest = deadline;
    }
    return earliest;
  }
}
