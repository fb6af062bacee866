/** A lease that was not renewed for this part of its time counts as lost: its jobs are told to stop. */
const LOST_AT = 0.65;
/** From this part on no handler may run under it any more. */
const OVER_AT = 0.9;

const RENEWED_MONOTONIC = 0;
const RENEWED_WALL = 1;
const RUNNING = 2;

/** What both threads of a worker know of its lease. */
export class LeaseMemory {
  readonly #cells: Float64Array;
  readonly #ttlMs: number;

  constructor(from: { readonly ttlMs: number; readonly memory?: SharedArrayBuffer }) {
    const memory = from.memory ?? new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT);
    this.#cells = new Float64Array(memory);
    this.#ttlMs = from.ttlMs;
    if (!from.memory) this.#cells.fill(Number.NEGATIVE_INFINITY, RENEWED_MONOTONIC, RUNNING);
  }

  get memory(): SharedArrayBuffer {
    return this.#cells.buffer as SharedArrayBuffer;
  }

  /** It was stored, by a write that was sent at this time. */
  renewed(sent: LeaseTime): void {
    this.#cells[RENEWED_MONOTONIC] = sent.monotonic;
    this.#cells[RENEWED_WALL] = sent.wall;
  }

  /** Nothing may begin under it any more, and what runs has to end. */
  get isLost(): boolean {
    return this.#age() > LOST_AT * this.#ttlMs;
  }

  /** Others may soon take it for gone. */
  get isOver(): boolean {
    return this.#age() > OVER_AT * this.#ttlMs;
  }

  /** Handlers that run under a slot. */
  get running(): number {
    return this.#cells[RUNNING] ?? 0;
  }

  set running(count: number) {
    this.#cells[RUNNING] = count;
  }

  /** The longer of what the two clocks say: one stands while the machine sleeps, the other may be set. */
  #age(): number {
    const now = leaseTime();
    const { [RENEWED_MONOTONIC]: monotonic = 0, [RENEWED_WALL]: wall = 0 } = this.#cells;
    return Math.max(now.monotonic - monotonic, now.wall - wall);
  }
}

/** A time on both clocks, in milliseconds; of all threads of a process alike. */
export interface LeaseTime {
  readonly monotonic: number;
  readonly wall: number;
}

/** Now. */
export function leaseTime(): LeaseTime {
  return { monotonic: Number(process.hrtime.bigint() / 1_000n) / 1_000, wall: Date.now() };
}
