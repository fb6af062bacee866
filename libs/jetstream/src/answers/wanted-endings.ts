import { isUuid } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { isInbox } from '../connection/serving.ts';
import { inNamespace } from '../streams/names.ts';
import { MAX_WANTED, SAY_EVERY_MS, WANTED } from './heard-endings.ts';
import type { JobEnding } from './job-ending.ts';

/** The jobs whose ends somebody waits for, as a worker has heard of them. */
export interface WantedEndings {
  /** Whether anybody waits, or did a moment ago; cheap. While nobody does, nothing need be told. */
  readonly any: boolean;
  /** How a job has ended, to whoever waits for it, or says so in a moment. To be called when that is stored. Throws nothing. */
  tell(id: string, ending: JobEnding): void;
  /** Safe twice; it is closed with the bus at the latest. */
  close(): void;
}

/** Jobs that are remembered; beyond it the recorders alone answer. */
const MAX_JOBS = 10_000;
/** Programs that may wait for the same job. */
const MAX_INBOXES = 16;
/** Whoever still waits has said so again by then, milliseconds. */
const KEEP_MS = 2 * SAY_EVERY_MS + 2_000;
/** Of an answer; what is more is told by a recorder, as history has it. */
const MAX_BYTES = 65_536;
/** Ends for which nobody has asked yet are kept for one to two seconds: a short job is over before its caller is heard. */
const LATE_MS = 1_000;
const MAX_LATE = 256;
const decoder = new TextDecoder();

/** Listens for what is waited for. */
export function openWantedEndings(bus: Bus): WantedEndings {
  return new Wanted(inside(bus));
}

class Wanted implements WantedEndings {
  readonly #bus: BusConnection;
  readonly #close: () => void;
  /** By job; who was said last is last. `until` by `performance.now()`. */
  readonly #jobs = new Map<string, { readonly inboxes: string[]; readonly until: number }>();
  /** What is answered of the ends of this second, and of the one before. */
  #late = new Map<string, string>();
  #later = new Map<string, string>();
  #heardAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(bus: BusConnection) {
    this.#bus = bus;
    const subscription = bus.nc.subscribe(inNamespace(bus, WANTED), {
      callback: (error, message) => {
        if (!error && isInbox(message.reply)) this.#hear(readIds(message.data), message.reply);
      },
    });
    const forget = bus.own(() => this.close());
    this.#close = () => {
      forget();
      if (!bus.nc.isClosed()) subscription.unsubscribe();
    };
  }

  get any(): boolean {
    return this.#timer !== undefined;
  }

  tell(id: string, ending: JobEnding): void {
    const found = this.#jobs.get(id);
    this.#jobs.delete(id);
    if (!found && this.#late.size >= MAX_LATE) return;
    const text = JSON.stringify({ ...ending, id });
    // An event is cut to what the server takes; an answer that comes near it might differ from what history has.
    if (Buffer.byteLength(text) > Math.min(MAX_BYTES, this.#bus.maxPayload / 2)) return;
    if (found) this.#answer(text, found.inboxes);
    else this.#late.set(id, text);
  }

  close(): void {
    this.#rest();
    this.#close();
  }

  #hear(ids: readonly string[], inbox: string): void {
    this.#heardAt = performance.now();
    for (const id of ids) {
      const ended = this.#late.get(id) ?? this.#later.get(id);
      if (ended !== undefined) this.#answer(ended, [inbox]);
      else this.#want(id, inbox);
    }
    this.#timer ??= setInterval(() => this.#sweep(), LATE_MS).unref();
  }

  #want(id: string, inbox: string): void {
    const inboxes = this.#jobs.get(id)?.inboxes ?? [];
    if (inboxes.length === 0 && this.#jobs.size >= MAX_JOBS) return;
    if (inboxes.length < MAX_INBOXES && !inboxes.includes(inbox)) inboxes.push(inbox);
    this.#jobs.delete(id);
    this.#jobs.set(id, { inboxes, until: this.#heardAt + KEEP_MS });
  }

  #answer(text: string, inboxes: readonly string[]): void {
    if (this.#bus.nc.isClosed()) return;
    for (const inbox of inboxes) this.#bus.nc.publish(inbox, text);
  }

  #sweep(): void {
    const now = performance.now();
    this.#later = this.#late;
    this.#late = new Map();
    for (const [id, { until }] of this.#jobs) {
      if (until > now) break;
      this.#jobs.delete(id);
    }
    if (this.#jobs.size === 0 && now - this.#heardAt > KEEP_MS) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#jobs.clear();
    this.#late.clear();
    this.#later.clear();
  }
}

function readIds(data: Uint8Array): string[] {
  try {
    const { ids } = JSON.parse(decoder.decode(data)) as { ids?: unknown };
    return Array.isArray(ids) ? ids.slice(0, MAX_WANTED).filter(isUuid) : [];
  } catch {
    return [];
  }
}
