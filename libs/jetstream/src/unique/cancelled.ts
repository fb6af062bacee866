import { Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { manage } from '../connection/manage.ts';
import { pause } from '../connection/pause.ts';
import { bucketName, checkId } from '../streams/names.ts';

/** What was just heard of a job: it is cancelled; or its messages before `below` (core `orderOf`) are void, since it was moved. */
export type Withdrawal =
  | { readonly id: string; readonly below?: undefined; readonly reason?: string }
  | { readonly id: string; readonly below: number };

/**
 * The jobs that were cancelled while their message was on its way: a worker drops them, and stops what runs. And those that
 * were moved to another time or lane, of which it drops the messages from before.
 */
export interface CancelledKeys {
  /** Whether this job is cancelled, as far as is known here; cheap. Before `load` nothing is known. */
  has(id: string): boolean;
  /** Whether a message of this job at this place (core `orderOf`) is void, since the job was moved; cheap. */
  isMoved(id: string, order: number): boolean;
  /** All jobs that are known here now. */
  ids(): string[];
  /** Calls `fn` with each that is new here, those included that were missed while NATS was away. Returns how to stop that. */
  listen(fn: (withdrawal: Withdrawal) => void): () => void;
  /** Reads all of them, and from then on hears of each change; a worker calls it before its first pull. Throws JetStreamCallError. */
  load(): Promise<void>;
  /** Notes a job as cancelled. Throws JetStreamCallError. */
  put(id: string, reason?: string): Promise<void>;
  /** Notes that messages of a job before `below` are void. Throws JetStreamCallError. */
  move(id: string, below: number): Promise<void>;
  /** Takes that back: the job has begun. Throws JetStreamCallError. */
  unmove(id: string, below: number): Promise<void>;
  /** Forgets a job: its message is gone. Throws JetStreamCallError. */
  remove(id: string): Promise<void>;
  /** Safe twice. */
  close(): Promise<void>;
}

const RETRY_MS = 500;
const decoder = new TextDecoder();

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
  readonly #moved = new Map<string, number>();
  readonly #listeners = new Set<(withdrawal: Withdrawal) => void>();
  readonly #stop = new AbortController();
  readonly #forget: (() => void)[] = [];
  /** There from `load` on. Nothing is kept without it: whoever only writes would never hear that a key is gone. */
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

  isMoved(id: string, order: number): boolean {
    return this.#moved.size > 0 && order < (this.#moved.get(id) ?? 0);
  }

  ids(): string[] {
    return this.#moved.size === 0 ? [...this.#ids] : [...new Set([...this.#ids, ...this.#moved.keys()])];
  }

  listen(fn: (withdrawal: Withdrawal) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
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
    if (this.#unsubscribe) this.#ids.add(id);
  }

  async move(id: string, below: number): Promise<void> {
    checkId(id);
    await manage(this.#bus, 'noting that a job was moved', async () =>
      (await this.#kv()).put(`${id}.${below}`, ''),
    );
    if (this.#unsubscribe) this.#note(`${id}.${below}`);
  }

  async unmove(id: string, below: number): Promise<void> {
    checkId(id);
    await this.#purge(`${id}.${below}`);
    this.#forgetKey(`${id}.${below}`);
  }

  async remove(id: string): Promise<void> {
    checkId(id);
    await this.#purge(id);
    this.#ids.delete(id);
    const below = this.#moved.get(id);
    if (below === undefined) return;
    await this.#purge(`${id}.${below}`, `${id}.*`);
    this.#moved.delete(id);
  }

  /** The marker tells those who listen; after that nothing of it stays. */
  async #purge(key: string, filter = key): Promise<void> {
    await manage(this.#bus, 'forgetting a cancellation', async (jsm) => {
      await (await this.#kv()).purge(key);
      await jsm.streams.purge(`KV_${this.#bucket}`, { filter: `${this.#prefix}${filter}` });
    });
  }

  /** Takes in a key: `<id>` of a cancelled job, `<id>.<below>` of a moved one. */
  #note(key: string, reason?: string): void {
    const [id = '', text] = key.split('.');
    if (text === undefined) {
      if (this.#ids.has(id)) return;
      this.#ids.add(id);
      this.#tell({ id, ...(reason ? { reason } : {}) });
      return;
    }
    const below = Number(text);
    if (!(below > (this.#moved.get(id) ?? 0))) return;
    this.#moved.set(id, below);
    this.#tell({ id, below });
  }

  #forgetKey(key: string): void {
    const [id = '', text] = key.split('.');
    if (text === undefined) this.#ids.delete(id);
    else if (this.#moved.get(id) === Number(text)) this.#moved.delete(id);
  }

  #tell(withdrawal: Withdrawal): void {
    for (const listener of this.#listeners) {
      try {
        listener(withdrawal);
      } catch (err) {
        this.#log.error({ err, job: withdrawal.id }, 'a cancellation could not be carried out');
      }
    }
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
        const key = message.subject.slice(this.#prefix.length);
        if (message.headers?.get('KV-Operation')) this.#forgetKey(key);
        else this.#note(key, decoder.decode(message.data));
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
      this.#note(subject.slice(this.#prefix.length));
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
