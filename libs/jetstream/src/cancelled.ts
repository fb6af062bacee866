import { Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from './bus.ts';
import type { Log } from './log.ts';
import { manage } from './manage.ts';
import { bucketName, checkId } from './names.ts';
import { pause } from './pause.ts';

/** The jobs that were cancelled while their message was on its way: a worker drops them. */
export interface CancelledKeys {
  /** Whether this job is cancelled, as far as is known here; cheap. */
  has(id: string): boolean;
  /** All that are known here now. */
  ids(): string[];
  /** Reads all of them, and from then on hears of each change; a worker calls it before its first pull. Throws JetStreamCallError. */
  load(): Promise<void>;
  /** Notes a job as cancelled. Throws JetStreamCallError. */
  put(id: string, reason?: string): Promise<void>;
  /** Forgets a job: its message is gone. Throws JetStreamCallError. */
  remove(id: string): Promise<void>;
  /** Safe twice. */
  close(): Promise<void>;
}

const RETRY_MS = 500;

/** Opens the keys; nothing is read before `load`. */
export function openCancelled(bus: Bus, options: { readonly log?: Log } = {}): CancelledKeys {
  return new WatchedKeys(inside(bus), options.log);
}

/**
 * Who writes a key publishes on its subject, so a plain subscription hears of it at once; what it misses while the
 * connection is away is read again after the reconnect. The client's watch would end in silence with a lost store.
 */
class WatchedKeys implements CancelledKeys {
  readonly #bus: BusConnection;
  readonly #log: Log;
  readonly #prefix: string;
  readonly #bucket: string;
  readonly #ids = new Set<string>();
  readonly #stop = new AbortController();
  readonly #forget: (() => void)[] = [];
  #unsubscribe: (() => void) | undefined;

  constructor(bus: BusConnection, log: Log | undefined) {
    this.#bus = bus;
    this.#log = log ?? bus.log;
    this.#bucket = bucketName(bus, 'cancelled');
    this.#prefix = `$KV.${this.#bucket}.`;
    this.#forget.push(bus.own(() => this.close()));
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  ids(): string[] {
    return [...this.#ids];
  }

  async load(): Promise<void> {
    this.#watch();
    await this.#read();
  }

  async put(id: string, reason = ''): Promise<void> {
    checkId(id);
    await manage(this.#bus, 'noting a cancellation', async () =>
      (await this.#kv()).put(id, reason.slice(0, 1_024)),
    );
    this.#ids.add(id);
  }

  async remove(id: string): Promise<void> {
    checkId(id);
    // The marker tells those who listen; after that nothing of it stays.
    await manage(this.#bus, 'forgetting a cancellation', async (jsm) => {
      await (await this.#kv()).purge(id);
      await jsm.streams.purge(`KV_${this.#bucket}`, { filter: `${this.#prefix}${id}` });
    });
    this.#ids.delete(id);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    for (const forget of this.#forget.splice(0)) forget();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #kv() {
    return new Kvm(this.#bus.nc).open(this.#bucket, { bindOnly: true, allow_direct: false });
  }

  #watch(): void {
    if (this.#unsubscribe || this.#stop.signal.aborted) return;
    const subscription = this.#bus.nc.subscribe(`${this.#prefix}>`, {
      callback: (error, message) => {
        if (error) return;
        const id = message.subject.slice(this.#prefix.length);
        if (message.headers?.get('KV-Operation')) this.#ids.delete(id);
        else this.#ids.add(id);
      },
    });
    this.#unsubscribe = () => this.#bus.nc.isClosed() || subscription.unsubscribe();
    this.#forget.push(this.#bus.onReconnect(() => void this.#readAgain()));
  }

  /** Adds what is there. What is not there any more stays known: ids never come again, and a worker restarts at times. */
  async #read(): Promise<void> {
    const subjects_filter = `${this.#prefix}>`;
    const info = await manage(this.#bus, 'reading cancellations', (jsm) =>
      jsm.streams.info(`KV_${this.#bucket}`, { subjects_filter }),
    );
    for (const subject of Object.keys(info.state.subjects ?? {}))
      this.#ids.add(subject.slice(this.#prefix.length));
  }

  async #readAgain(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      try {
        return await this.#read();
      } catch (err) {
        // After a lost store the bucket is missing until somebody has made it again.
        if (failures === 0 && !this.#stop.signal.aborted) {
          this.#log.warn({ err }, 'cancellations cannot be read now; trying on');
        }
        await pause(RETRY_MS, this.#stop.signal);
      }
    }
  }
}
