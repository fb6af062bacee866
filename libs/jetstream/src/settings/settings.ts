import { Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import type { Log } from '../connection/log.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { pause } from '../connection/pause.ts';
import { bucketName } from '../streams/names.ts';

/** What the configuration says of tasks, for programs that have no configuration file. */
export interface SettingsWatch {
  /** What was last published, as JSON; undefined while nothing is. */
  readonly text: string | undefined;
  /** Reads it; at the latest after `timeoutMs` it goes on without, and reads on beside that. Never rejects. */
  load(timeoutMs: number): Promise<void>;
  /** Safe twice; it is closed with the bus at the latest. */
  close(): void;
}

const KEY = 'settings';
/** More than any file needs, and less than the server takes in one message. */
const MAX_BYTES = 512 * 1024;
const RETRY_MS = 500;
const decoder = new TextDecoder();

/**
 * Publishes the settings where they differ from what is published.
 * @param text JSON
 * @param options.onlyMissing leaves alone what another recorder has published
 * @throws JetStreamCallError, BusClosedError, also when the text has more than 512 KiB
 */
export async function putSettings(
  bus: Bus,
  text: string,
  options: { readonly onlyMissing?: boolean } = {},
): Promise<void> {
  const inner = inside(bus);
  if (Buffer.byteLength(text) > MAX_BYTES)
    throw new JetStreamCallError(
      `routing, tasks and defaults have more than ${MAX_BYTES} bytes: use patterns`,
    );
  const found = await read(inner);
  if (found === text || (options.onlyMissing && found !== undefined)) return;
  await manage(inner, 'publishing the settings', async () =>
    (await new Kvm(inner.nc).open(bucketName(inner, 'limits'), { bindOnly: true, allow_direct: false })).put(
      KEY,
      text,
    ),
  );
}

/**
 * Follows the settings. Who writes the key publishes on its subject, so a plain subscription hears of it at once; what is
 * missed while the connection is away is read again after the reconnect.
 * @param onChange called with each new text; undefined: nothing is published any more
 */
export function watchSettings(
  bus: Bus,
  onChange: (text: string | undefined) => void,
  options: { readonly log?: Log } = {},
): SettingsWatch {
  const inner = inside(bus);
  return new Watch(inner, onChange, options.log ?? inner.log);
}

class Watch implements SettingsWatch {
  readonly #bus: BusConnection;
  readonly #onChange: (text: string | undefined) => void;
  readonly #log: Log;
  readonly #closed = new AbortController();
  readonly #forget: (() => void)[];
  #text: string | undefined;
  /** Counts what was heard, so that an answer that is older does not undo it. */
  #heard = 0;
  #reading: Promise<void> | undefined;

  constructor(bus: BusConnection, onChange: (text: string | undefined) => void, log: Log) {
    this.#bus = bus;
    this.#onChange = onChange;
    this.#log = log;
    const subscription = bus.nc.subscribe(subjectOf(bus), {
      callback: (error, message) => {
        if (error) return;
        this.#heard++;
        this.#take(message.headers?.get('KV-Operation') ? undefined : message.data);
      },
    });
    this.#forget = [
      bus.own(() => this.close()),
      bus.onReconnect(() => void this.#read()),
      () => bus.nc.isClosed() || subscription.unsubscribe(),
    ];
  }

  get text(): string | undefined {
    return this.#text;
  }

  async load(timeoutMs: number): Promise<void> {
    const late = new AbortController();
    await Promise.race([this.#read(), pause(timeoutMs, AbortSignal.any([late.signal, this.#closed.signal]))]);
    late.abort();
  }

  close(): void {
    this.#closed.abort();
    for (const forget of this.#forget.splice(0)) forget();
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOn(): Promise<void> {
    for (let failures = 0; !this.#closed.signal.aborted; failures++) {
      const { signal } = this.#closed;
      const heard = this.#heard;
      try {
        const text = await read(this.#bus);
        if (heard === this.#heard && !signal.aborted) this.#change(text);
        return;
      } catch (err) {
        if (failures === 0 && !signal.aborted)
          this.#log.warn({ err }, 'the settings cannot be read now; trying on');
        await pause(RETRY_MS, signal);
      }
    }
  }

  #take(data: Uint8Array | undefined): void {
    if (data && data.byteLength > MAX_BYTES) {
      this.#log.warn({ bytes: data.byteLength }, 'settings that are too large are left alone');
      return;
    }
    this.#change(data && decoder.decode(data));
  }

  #change(text: string | undefined): void {
    if (text === this.#text || this.#closed.signal.aborted) return;
    this.#text = text;
    this.#onChange(text);
  }
}

function subjectOf(bus: BusConnection): string {
  return `$KV.${bucketName(bus, 'limits')}.${KEY}`;
}

/** What is published; undefined where there is no such key, or no bucket yet. Read at the leader. */
async function read(bus: BusConnection): Promise<string | undefined> {
  return manage(bus, 'reading the settings', async (jsm) => {
    const stream = `KV_${bucketName(bus, 'limits')}`;
    try {
      const found = await jsm.streams.getMessage(stream, { last_by_subj: subjectOf(bus) });
      if (!found || found.header?.get('KV-Operation') || found.data.byteLength > MAX_BYTES) return undefined;
      return decoder.decode(found.data);
    } catch (error) {
      if (isApiError(error, API.noMessage, API.streamNotFound)) return undefined;
      throw error;
    }
  });
}
