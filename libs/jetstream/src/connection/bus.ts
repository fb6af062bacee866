import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Named } from '../streams/names.ts';
import { AckWriter } from './ack-writer.ts';
import { BusClosedError, JetStreamCallError } from './errors.ts';
import type { Log } from './log.ts';
import { pause, within } from './pause.ts';
import { Replies } from './replies.ts';
import { Window } from './window.ts';

/** A connection to NATS. It reconnects by itself, for ever, until it is closed. */
export interface Bus extends Named {
  /** Whether there is a connection now, as far as is known. */
  readonly connected: boolean;
  /** The largest message that the server takes: headers and body, in bytes. */
  readonly maxPayload: number;
  /**
   * Calls `fn` after every reconnect. `serverChanged`: to a server process that this connection has not seen before, so
   * that acknowledgements, or the whole store, may be lost. Returns how to stop that.
   */
  onReconnect(fn: (info: { serverChanged: boolean }) => void): () => void;
  /** Round trip in milliseconds. Throws JetStreamCallError when there is no connection. */
  rtt(): Promise<number>;
  /** Resolves when the server has everything that was published so far, acknowledgements included. Throws JetStreamCallError. */
  flush(): Promise<void>;
  /**
   * The process begins to stop: a connection that is away, now or later, is waited for until 1 s after its loss. Then nothing waits for it
   * any more: what is under way ends with BusClosedError or what says that it is not known to be done, and so does whatever is asked for
   * later. Resolves when that is so, or there is a connection.
   */
  leave(): Promise<void>;
  /** Closes everything that was opened with it, then the connection. Safe twice; bounded. */
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;
/** For how long after its loss a connection is waited for by who stops: another server of a cluster takes that long. Milliseconds. */
const BACK_MS = 1_000;

/** Atomic batches that are open at once; a stream takes 50 of all its publishers. */
const BATCHES = 3;

/** The inside of a Bus; never leaves the package. */
export class BusConnection implements Bus {
  readonly nc: NatsConnection;
  readonly namespace: string;
  readonly log: Log;
  readonly callTimeoutMs: number;
  readonly replies: Replies;
  readonly acks: AckWriter;
  readonly batches = new Window(BATCHES);
  /** Where the last job went (job-message.ts). */
  lastTarget: { queue: string; priority: string; task: string; subject: string } | undefined;
  /** Aborted when nothing more may be sent. */
  readonly closing = new AbortController();
  #jsm: Promise<JetStreamManager> | undefined;
  #connected = true;
  /** By `performance.now()`. */
  #lostAt = 0;
  #leaving = false;
  #maxPayload: number;
  #closed: Promise<void> | undefined;
  readonly #servers = new Set<string>();
  readonly #listeners = new Set<(info: { serverChanged: boolean }) => void>();
  readonly #parts = new Map<unknown, unknown>();
  readonly #waiting = new Set<() => void>();
  readonly #losses = new Set<(error: Error) => void>();
  readonly #owned = new Set<() => Promise<void> | void>();

  constructor(params: { nc: NatsConnection; namespace: string; log: Log; callTimeoutMs: number }) {
    this.nc = params.nc;
    this.namespace = params.namespace;
    this.log = params.log;
    this.callTimeoutMs = params.callTimeoutMs;
    this.#maxPayload = params.nc.info?.max_payload ?? 1_048_576;
    this.#servers.add(params.nc.info?.server_id ?? '');
    this.replies = new Replies(params.nc);
    this.acks = new AckWriter(params.nc);
    void this.#watch();
  }

  get connected(): boolean {
    return this.#connected && !this.nc.isClosed();
  }

  get maxPayload(): number {
    return this.#maxPayload;
  }

  onReconnect(fn: (info: { serverChanged: boolean }) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  async rtt(): Promise<number> {
    return this.#bounded('rtt', () => this.nc.rtt());
  }

  async flush(): Promise<void> {
    this.acks.flush();
    await this.#bounded('flush', () => this.nc.flush().then(() => true));
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    if (this.connected || (await this.whenConnected(this.#lostAt + BACK_MS - performance.now()))) return;
    this.#endWaits(false);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** JetStream's management; one for the whole connection. */
  manager(): Promise<JetStreamManager> {
    this.#jsm ??= jetstreamManager(this.nc, { checkAPI: false, timeout: this.callTimeoutMs });
    return this.#jsm;
  }

  /** What there is once per connection, and made when it is first asked for. */
  part<Part>(kind: new (bus: BusConnection) => Part): Part {
    const known = this.#parts.get(kind);
    if (known instanceof kind) return known;
    const made = new kind(this);
    this.#parts.set(kind, made);
    return made;
  }

  /** Closes `close` with this; the returned function forgets it again. */
  own(close: () => Promise<void> | void): () => void {
    this.#owned.add(close);
    return () => this.#owned.delete(close);
  }

  /** Waits for a connection: at most `ms`, and not beyond the closing. Returns whether there is one. */
  async whenConnected(ms: number): Promise<boolean> {
    if (this.connected || this.closing.signal.aborted || ms <= 0) return this.connected;
    const end = new AbortController();
    const wake = () => end.abort();
    this.#waiting.add(wake);
    await pause(ms, end.signal);
    this.#waiting.delete(wake);
    return this.connected;
  }

  /** Resolves as `call` does, and rejects at once when the connection breaks: the client would wait for its answer to the end. */
  async unlessLost<T>(call: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#losses.add(reject);
    call.catch(() => {});
    return await Promise.race([call, promise]).finally(() => this.#losses.delete(reject));
  }

  async #bounded<T>(what: string, call: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new BusClosedError();
    const result = this.connected ? await within(call(), this.callTimeoutMs) : undefined;
    if (result === undefined)
      throw new JetStreamCallError(`${what}: NATS did not answer within ${this.callTimeoutMs} ms`);
    return result;
  }

  /** Follows the connection. The client's status must be read to its end, or it piles up. */
  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === 'disconnect') this.#disconnected(status.server);
      else if (status.type === 'reconnect') this.#reconnected(status.server);
      else if (status.type === 'error') this.log.warn({ err: status.error }, 'NATS reports an error');
    }
    const cause = await this.nc.closed();
    this.#connected = false;
    this.replies.close();
    if (!this.#closed) this.log.error({ err: cause }, 'the connection to NATS ended for good');
  }

  #disconnected(server: string): void {
    // The client tells of every try that fails.
    if (this.#connected) this.#lostAt = performance.now();
    if (this.#connected && !this.#closed) this.log.warn({ server }, 'NATS is away; reconnecting');
    this.#connected = false;
    this.replies.lose();
    for (const lose of this.#losses) lose(new Error('the connection to NATS was lost'));
    if (this.#leaving) void this.leave();
  }

  #reconnected(server: string): void {
    const info = this.nc.info;
    const id = info?.server_id ?? '';
    const serverChanged = !this.#servers.has(id);
    this.#servers.add(id);
    this.#maxPayload = info?.max_payload ?? this.#maxPayload;
    this.#connected = true;
    // Whatever was sent between the loss and now went nowhere, or its reply did.
    this.replies.lose();
    this.log.info({ server, serverChanged }, 'NATS is back');
    this.#endWaits(true);
    for (const listener of this.#listeners) {
      try {
        listener({ serverChanged });
      } catch (err) {
        this.log.error({ err }, 'a listener for reconnects failed');
      }
    }
  }

  /** Wakes whoever waits for a connection: there is one, or nothing more may be sent. */
  #endWaits(isBack: boolean): void {
    if (!isBack) this.closing.abort();
    for (const wake of this.#waiting) wake();
  }

  async #close(): Promise<void> {
    // Those first: an event publisher still sends what waits.
    const owned = [...this.#owned].map(async (close) => close());
    await within(Promise.allSettled(owned), CLOSE_MS);
    this.#endWaits(false);
    // What was published last, acknowledgements above all, should still reach the server.
    this.acks.flush();
    if (this.connected)
      await within(
        this.nc.flush().catch(() => {}),
        CLOSE_MS,
      );
    this.replies.close();
    await within(this.nc.close(), CLOSE_MS);
    this.#connected = false;
    this.#listeners.clear();
  }
}

/**
 * The inside of a Bus.
 * @throws TypeError for an object that `connectBus` did not make
 */
export function inside(bus: Bus): BusConnection {
  if (bus instanceof BusConnection) return bus;
  throw new TypeError('this Bus was not made by connectBus');
}
