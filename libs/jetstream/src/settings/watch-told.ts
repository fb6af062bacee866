import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { pause } from '../connection/pause.ts';
import { nextTold, readTold, type Told, type ToldKind, toldPrefix, type Versioned } from './told-settings.ts';

/** What holds, by name, as far as it is known here. */
export interface ToldWatch<T> {
  /** Undefined: nothing holds. Cheap. */
  of(name: string): T | undefined;
  /** All that holds. */
  all(): Iterable<readonly [name: string, settings: T]>;
  /** Reads them all, and again from time to time; a worker calls it before its first pull. Throws JetStreamCallError. */
  load(): Promise<void>;
  /** Calls `fn` with each name whose settings changed. Returns how to stop that. */
  onChange(fn: (name: string, settings: T | undefined) => void): () => void;
  /** Safe twice; it is closed with the bus at the latest. */
  close(): void;
}

const RETRY_MS = 500;
/** What was not heard is read at the latest after this time, milliseconds. */
const AGAIN_MS = 5_000;
/** A whole reading after so many of only what is new: a stream that lost its tail counts on from an earlier place. */
const WHOLE_EVERY = 6;

/**
 * Follows settings. Who writes a key publishes on its subject, so a plain subscription hears of it at once; what is missed
 * is read after a reconnect, and every 5 s.
 */
export function watchTold<T extends Versioned>(
  bus: Bus,
  kind: ToldKind<T>,
  options: { readonly log?: Log } = {},
): ToldWatch<T> {
  const inner = inside(bus);
  return new Watch(inner, kind, options.log ?? inner.log);
}

class Watch<T extends Versioned> implements ToldWatch<T> {
  readonly #bus: BusConnection;
  readonly #log: Log;
  readonly #kind: ToldKind<T>;
  readonly #known = new Map<string, T>();
  readonly #listeners = new Set<(name: string, settings: T | undefined) => void>();
  readonly #closed = new AbortController();
  readonly #forget: (() => void)[];
  /** What was heard since a reading began, which may be newer than what that brings. */
  #heard = new Set<string>();
  #readUpTo = 0;
  #reading: Promise<void> | undefined;
  #following = false;

  constructor(bus: BusConnection, kind: ToldKind<T>, log: Log) {
    this.#bus = bus;
    this.#kind = kind;
    this.#log = log;
    const prefix = toldPrefix(bus, kind);
    const subscription = bus.nc.subscribe(`${prefix}>`, {
      callback: (error, message) => {
        if (error) return;
        const name = message.subject.slice(prefix.length);
        this.#hear(name, readTold(kind, message.data, message.headers?.get('KV-Operation')));
      },
    });
    this.#forget = [
      bus.own(() => this.close()),
      bus.onReconnect(() => void this.#readOn()),
      () => bus.nc.isClosed() || subscription.unsubscribe(),
    ];
  }

  of(name: string): T | undefined {
    return this.#known.get(name);
  }

  all(): Iterable<readonly [name: string, settings: T]> {
    return this.#known;
  }

  onChange(fn: (name: string, settings: T | undefined) => void): () => void {
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
    this.#listeners.clear();
    for (const forget of this.#forget.splice(0)) forget();
  }

  /** Whoever listens hears too what the stream refuses, since somebody else was faster: only what is newer is taken at once. */
  #hear(name: string, told: Told<T>): void {
    // What another version of ours says does not end what holds.
    if (!told) return;
    const { settings } = told;
    if (!settings || settings.version <= (this.#known.get(name)?.version ?? -1)) {
      if (this.#following) void this.#readOn({ whole: false });
      return;
    }
    this.#heard.add(name);
    this.#change(name, settings);
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
          this.#log.warn({ err }, `the settings of ${this.#kind.kind}s cannot be read now; trying on`);
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
    const found = new Map<string, T | undefined>();
    let from = whole ? 1 : this.#readUpTo + 1;
    for (;;) {
      const next = await nextTold(this.#bus, this.#kind, from);
      if (!next) break;
      found.set(next.name, next.told ? next.told.settings : this.#known.get(next.name));
      from = next.seq + 1;
    }
    this.#readUpTo = from - 1;
    // What is not there was lost with its bucket, and will be told again: whoever takes settings away says so.
    for (const [name, settings] of found) if (!this.#heard.has(name)) this.#change(name, settings);
  }

  #change(name: string, settings: T | undefined): void {
    if (this.#closed.signal.aborted) return;
    const known = this.#known.get(name);
    if (known === settings || (known && settings && JSON.stringify(known) === JSON.stringify(settings)))
      return;
    if (settings) this.#known.set(name, settings);
    else this.#known.delete(name);
    for (const listener of this.#listeners) listener(name, settings);
  }
}
