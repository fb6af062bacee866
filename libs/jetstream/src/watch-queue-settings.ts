import { isPaused, type QueueSettings } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from './bus.ts';
import type { Log } from './log.ts';
import { pause } from './pause.ts';
import { nextQueueSettings, queueSettingsPrefix, readTold, type ToldSettings } from './queue-settings.ts';

/** What holds for queues, as far as it is known here. */
export interface QueueSettingsWatch {
  /** Undefined: nothing holds. Cheap. */
  of(queue: string): QueueSettings | undefined;
  /** Whether no job of the queue may begin now; cheap. */
  isPaused(queue: string): boolean;
  /** Reads them all, and again from time to time; a worker calls it before its first pull. Throws JetStreamCallError. */
  load(): Promise<void>;
  /** Calls `fn` with each queue whose settings changed, or whose pause is over. Returns how to stop that. */
  onChange(fn: (queue: string, settings: QueueSettings | undefined) => void): () => void;
  /** Safe twice; it is closed with the bus at the latest. */
  close(): void;
}

const RETRY_MS = 500;
/** What was not heard is read at the latest after this time, milliseconds. */
const AGAIN_MS = 5_000;
/** A whole reading after so many of only what is new: a stream that lost its tail counts on from an earlier place. */
const WHOLE_EVERY = 6;
/** Node's longest timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Follows the settings of all queues. Who writes a key publishes on its subject, so a plain subscription hears of it at
 * once; what is missed is read after a reconnect, and every 5 s.
 */
export function watchQueueSettings(bus: Bus, options: { readonly log?: Log } = {}): QueueSettingsWatch {
  const inner = inside(bus);
  return new Watch(inner, options.log ?? inner.log);
}

class Watch implements QueueSettingsWatch {
  readonly #bus: BusConnection;
  readonly #log: Log;
  readonly #prefix: string;
  readonly #queues = new Map<string, QueueSettings>();
  readonly #listeners = new Set<(queue: string, settings: QueueSettings | undefined) => void>();
  readonly #closed = new AbortController();
  readonly #forget: (() => void)[];
  /** What was heard since a reading began, which may be newer than what that brings. */
  #heard = new Set<string>();
  #readUpTo = 0;
  #reading: Promise<void> | undefined;
  #following = false;
  /** Rings when the next pause is over. */
  #timer: NodeJS.Timeout | undefined;

  constructor(bus: BusConnection, log: Log) {
    this.#bus = bus;
    this.#log = log;
    this.#prefix = queueSettingsPrefix(bus);
    const subscription = bus.nc.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error) return;
        const queue = message.subject.slice(this.#prefix.length);
        this.#hear(queue, readTold(message.data, message.headers?.get('KV-Operation')));
      },
    });
    this.#forget = [
      bus.own(() => this.close()),
      bus.onReconnect(() => void this.#readOn()),
      () => bus.nc.isClosed() || subscription.unsubscribe(),
    ];
  }

  of(queue: string): QueueSettings | undefined {
    return this.#queues.get(queue);
  }

  isPaused(queue: string): boolean {
    const settings = this.#queues.get(queue);
    return settings?.paused !== undefined && isPaused(settings, Date.now());
  }

  onChange(fn: (queue: string, settings: QueueSettings | undefined) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  async load(): Promise<void> {
    await this.#read({ whole: true });
    if (this.#following || this.#closed.signal.aborted) return;
    this.#following = true;
    void this.#follow();
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
    this.#listeners.clear();
    for (const forget of this.#forget.splice(0)) forget();
  }

  /** Whoever listens hears too what the stream refuses, since somebody else was faster: only what is newer is taken at once. */
  #hear(queue: string, told: ToldSettings): void {
    // What another version of ours says does not end what holds.
    if (!told) return;
    const { settings } = told;
    if (!settings || settings.version <= (this.#queues.get(queue)?.version ?? -1)) {
      if (this.#following) void this.#readOn({ whole: false });
      return;
    }
    this.#heard.add(queue);
    this.#change(queue, settings);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    for (let round = 1; ; round++) {
      await pause(AGAIN_MS, signal);
      if (signal.aborted) return;
      // While the connection is away nothing can be read, and a reading follows its return.
      if (this.#bus.connected) await this.#readOn({ whole: round % WHOLE_EVERY === 0 });
    }
  }

  /** Reads until it is read. */
  async #readOn(how: { whole: boolean } = { whole: true }): Promise<void> {
    const { signal } = this.#closed;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await this.#read(how);
      } catch (err) {
        if (failures === 0 && !signal.aborted)
          this.#log.warn({ err }, 'the settings of queues cannot be read now; trying on');
        await pause(RETRY_MS, signal);
      }
    }
  }

  /** One at a time. */
  async #read(how: { whole: boolean }): Promise<void> {
    while (this.#reading !== undefined) await this.#reading.catch(() => {});
    if (this.#closed.signal.aborted) return;
    this.#reading = this.#readNow(how).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #readNow({ whole }: { whole: boolean }): Promise<void> {
    this.#heard = new Set();
    const found = new Map<string, QueueSettings | undefined>();
    let from = whole ? 1 : this.#readUpTo + 1;
    for (;;) {
      const next = await nextQueueSettings(this.#bus, from);
      if (!next) break;
      found.set(next.queue, next.told ? next.told.settings : this.#queues.get(next.queue));
      from = next.seq + 1;
    }
    this.#readUpTo = from - 1;
    // What is not there was lost with its bucket, and will be told again: whoever takes settings away says so.
    for (const [queue, settings] of found) if (!this.#heard.has(queue)) this.#change(queue, settings);
  }

  #change(queue: string, settings: QueueSettings | undefined): void {
    if (this.#closed.signal.aborted) return;
    const known = this.#queues.get(queue);
    if (known === settings || (known && settings && JSON.stringify(known) === JSON.stringify(settings)))
      return;
    if (settings) this.#queues.set(queue, settings);
    else this.#queues.delete(queue);
    this.#setTimer();
    this.#tell(queue);
  }

  #tell(queue: string): void {
    for (const listener of this.#listeners) listener(queue, this.#queues.get(queue));
  }

  /** So that whoever waits for the end of a pause is told of it. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    const now = Date.now();
    const next = Math.min(...this.#pausedUntil().map(([, until]) => until));
    if (!Number.isFinite(next)) return;
    const ringing = this.#pausedUntil().filter(([, until]) => until === next);
    this.#timer = setTimeout(
      () => {
        this.#setTimer();
        for (const [queue] of ringing) if (!this.isPaused(queue)) this.#tell(queue);
      },
      Math.min(MAX_TIMER_MS, Math.max(1, next - now)),
    );
  }

  #pausedUntil(): [queue: string, until: number][] {
    const now = Date.now();
    return [...this.#queues].flatMap(([queue, { paused }]): [string, number][] =>
      paused?.until !== undefined && paused.until > now ? [[queue, paused.until]] : [],
    );
  }
}
