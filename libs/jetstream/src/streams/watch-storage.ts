import {
  decideGate,
  describeFullQueue,
  describeStorage,
  readStorageFigures,
  type StorageFigures,
  type StorageGate,
} from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { pause } from '../connection/pause.ts';
import { type Serving, serve } from '../connection/serving.ts';
import { inNamespace } from './names.ts';

/** What was last heard of the fill level. */
export interface HeardStorage {
  readonly figures: StorageFigures;
  /** Unix milliseconds. */
  readonly heardAt: number;
}

/** Follows the fill level that the recorders publish. */
export interface StorageWatch {
  /** Undefined while no recorder says anything: that is not "full", then only the server's own refusal speaks. */
  readonly last: HeardStorage | undefined;
  /** Why new jobs are refused now, in one sentence; `undefined` while they are taken. */
  readonly refusal: string | undefined;
  /** The same for one queue, that has as many jobs waiting as it may. */
  queueRefusal(queue: string): string | undefined;
  /** Resolves when a newcomer knows what a recorder says, or that none does; at most 250 ms after the start. */
  readonly begun: Promise<void>;
  /** Resolves when new jobs are taken, or after `timeoutMs`. */
  room(timeoutMs: number): Promise<void>;
  /** Safe twice; it is closed with the bus at the latest. */
  close(): void;
}

/** Where every recorder says the fill level, once a second. */
const LEVEL = 'control.storage';
/** Where one of them says it to whoever asks. */
const QUESTION = 'questions.storage';
/** After so long without a word nothing is known any more, in milliseconds. */
const SILENT_MS = 5_000;
const ASK_MS = 250;
const decoder = new TextDecoder();

/** Tells everybody. */
export function publishStorage(bus: Bus, figures: StorageFigures): void {
  const inner = inside(bus);
  if (inner.connected) inner.nc.publish(inNamespace(inner, LEVEL), JSON.stringify(figures));
}

/** Answers those who have just connected; `last` says nothing while it knows nothing. */
export function serveStorage(
  bus: Bus,
  last: () => StorageFigures | undefined,
  options: { readonly log?: Log } = {},
): Serving {
  const inner = inside(bus);
  return serve(inner, {
    subject: inNamespace(inner, QUESTION),
    group: 'recorder',
    log: options.log ?? inner.log,
    answer: () => last(),
  });
}

/**
 * Follows the fill level. It asks once, at the start: programs that connect, enqueue one job and end would otherwise never
 * hear of it, and together use up what is kept for the jobs that are there.
 */
export function watchStorage(bus: Bus, options: { readonly clock?: () => number } = {}): StorageWatch {
  return new Watch(inside(bus), options.clock ?? Date.now);
}

class Watch implements StorageWatch {
  readonly begun: Promise<void>;
  readonly #clock: () => number;
  readonly #waiting = new Set<() => void>();
  readonly #stop: () => void;
  readonly #closed = new AbortController();
  #last: HeardStorage | undefined;
  #gate: StorageGate = 'open';

  constructor(bus: BusConnection, clock: () => number) {
    this.#clock = clock;
    const subscription = bus.nc.subscribe(inNamespace(bus, LEVEL), {
      callback: (error, message) => {
        if (!error) this.#take(message.data);
      },
    });
    this.begun = this.#ask(bus);
    const forget = bus.own(() => this.close());
    this.#stop = () => {
      forget();
      if (!bus.nc.isClosed()) subscription.unsubscribe();
    };
  }

  get last(): HeardStorage | undefined {
    const last = this.#last;
    return last && this.#clock() - last.heardAt <= SILENT_MS ? last : undefined;
  }

  get refusal(): string | undefined {
    // The common case costs no look at the clock.
    if (this.#gate === 'open') return undefined;
    const { last } = this;
    if (last) return describeStorage(last.figures);
    this.#gate = 'open';
    return undefined;
  }

  queueRefusal(queue: string): string | undefined {
    // The common case costs no look at the clock.
    if (this.#last?.figures.full === undefined) return undefined;
    const full = this.last?.figures.full?.find((one) => one.queue === queue);
    return full && describeFullQueue(full);
  }

  async room(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (let left = timeoutMs; this.refusal !== undefined && left > 0; left = end - performance.now()) {
      const turn = new AbortController();
      const wake = () => turn.abort();
      this.#waiting.add(wake);
      // Silence opens the gate too, and nobody tells of that.
      await pause(Math.min(left, SILENT_MS), AbortSignal.any([turn.signal, this.#closed.signal]));
      this.#waiting.delete(wake);
      if (this.#closed.signal.aborted) return;
    }
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#stop();
  }

  async #ask(bus: BusConnection): Promise<void> {
    const subject = inNamespace(bus, QUESTION);
    const reply = await bus.replies.send({ subject, data: new Uint8Array([0x7b, 0x7d]), timeoutMs: ASK_MS });
    if (reply.kind === 'message' && !this.#last) this.#take(reply.data);
  }

  #take(data: Uint8Array): void {
    const figures = parse(data);
    if (!figures || this.#closed.signal.aborted) return;
    this.#last = { figures, heardAt: this.#clock() };
    this.#gate = decideGate(this.#gate, figures);
    if (this.#gate === 'open') for (const wake of this.#waiting) wake();
  }
}

function parse(data: Uint8Array): StorageFigures | undefined {
  try {
    return readStorageFigures(JSON.parse(decoder.decode(data)));
  } catch {
    return undefined;
  }
}
