import { randomUUID } from 'node:crypto';
import { type Event, encodeBatch } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { BusClosedError, EventQueueFullError, PublishRefusedError } from '../connection/errors.ts';
import type { Log } from '../connection/log.ts';
import { pause, within } from '../connection/pause.ts';
import { publishStored } from '../publishing/publish-stored.ts';
import { HEADERS } from '../streams/headers.ts';
import { inNamespace } from '../streams/names.ts';
import { EventBatch } from './event-batch.ts';
import { fittingEvent } from './event-text.ts';

/** When a batch is sent, and how much may wait. */
export interface EventPublisherOptions {
  /** Events in a batch. Default 256. */
  readonly maxEvents?: number;
  /** How long an event waits for others, in milliseconds. Default 2. */
  readonly maxDelayMs?: number;
  /** Size of a batch in bytes. Default 512 KiB. */
  readonly maxBytes?: number;
  /** From so many waiting events on the publisher is `full`; from twice as many on it refuses. Default 20,000. */
  readonly maxQueued?: number;
  /** Batches on their way at once. Default 8. */
  readonly maxInFlight?: number;
  readonly log?: Log;
}

/** Stores events in EVENTS, in batches. */
export interface EventPublisher {
  /**
   * Resolves when the event is stored: it is tried for ever, until `close`, or there is no bus any more.
   * Rejects with BusClosedError, EventQueueFullError, or PublishRefusedError (`payload_too_large`).
   */
  publish(event: Event): Promise<{ seq: number }>;
  /** So much waits that its owner should make no new events: EVENTS has no room, or the server is away. */
  readonly full: boolean;
  /** Events that are not stored yet. */
  readonly queued: number;
  /** Calls `fn` whenever `full` turns false. Returns how to stop that. */
  onSpace(fn: () => void): () => void;
  /** Resolves when every event so far is stored, or was given up by `close`. */
  flush(): Promise<void>;
  /** Takes no more, waits for what is on its way (default 5 s) and rejects the rest. Safe twice. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

/** What the batch's brackets and headers take at most. */
const OVERHEAD = 512;
const TRY_MS = 5_000;
const MAX_BACKOFF_MS = 5_000;
/** A request that is on its way ends by itself within its bound. */
const STOP_MS = 2_500;

/** Makes a publisher of events. It is closed with the bus at the latest. */
export function createEventPublisher(bus: Bus, options: EventPublisherOptions = {}): EventPublisher {
  return new BatchingPublisher(inside(bus), options);
}

class BatchingPublisher implements EventPublisher {
  readonly #bus: BusConnection;
  readonly #options: Required<EventPublisherOptions>;
  readonly #listeners = new Set<() => void>();
  readonly #batches = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #forget: () => void;
  /** Batches that are not sent, in order; the last one takes more. */
  readonly #waiting: EventBatch[] = [];
  #queued = 0;
  /** What waits should have left and found no place. */
  #overdue = false;
  #timer: NodeJS.Timeout | undefined;
  #full = false;
  #failing = false;
  #closing: Promise<void> | undefined;

  constructor(bus: BusConnection, options: EventPublisherOptions) {
    this.#bus = bus;
    this.#options = {
      maxEvents: options.maxEvents ?? 256,
      maxDelayMs: options.maxDelayMs ?? 2,
      maxBytes: options.maxBytes ?? 524_288,
      maxQueued: options.maxQueued ?? 20_000,
      maxInFlight: options.maxInFlight ?? 8,
      log: options.log ?? bus.log,
    };
    this.#forget = bus.own(() => this.close({ timeoutMs: 1_000 }));
  }

  get full(): boolean {
    return this.#full;
  }

  get queued(): number {
    return this.#queued;
  }

  publish(event: Event): Promise<{ seq: number }> {
    if (this.#closing !== undefined) return refused(new BusClosedError());
    if (this.#queued >= 2 * this.#options.maxQueued) return refused(new EventQueueFullError(this.#queued));
    let text: string;
    try {
      text = fittingEvent(event, this.#bus.maxPayload - OVERHEAD);
    } catch (error) {
      return refused(error);
    }
    const batch = this.#take(text);
    this.#queued++;
    if (this.#queued >= this.#options.maxQueued) this.#full = true;
    const { maxEvents, maxBytes } = this.#options;
    if (this.#waiting.length > 1 || batch.texts.length >= maxEvents || batch.bytes >= maxBytes) this.#ship();
    else this.#timer ??= setTimeout(() => this.#ship(), this.#options.maxDelayMs);
    return batch.stored;
  }

  onSpace(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  async flush(): Promise<void> {
    const last = this.#waiting.at(-1);
    this.#ship();
    // Batches leave in order, so all that came before the last one are on their way when it is stored.
    if (last) await last.stored.catch(ignore);
    await Promise.all(this.#batches);
  }

  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? 5_000);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    await within(this.flush(), timeoutMs);
    this.#stop.abort();
    await within(Promise.all(this.#batches), STOP_MS);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const batch of this.#waiting.splice(0)) {
      this.#queued -= batch.texts.length;
      batch.reject(new BusClosedError());
    }
    this.#listeners.clear();
    this.#forget();
  }

  /** Adds an event to the last batch, or to a new one when that is full. */
  #take(text: string): EventBatch {
    const { maxEvents, maxBytes } = this.#options;
    const bytes = Buffer.byteLength(text) + 1;
    let batch = this.#waiting.at(-1);
    if (!batch || batch.texts.length >= maxEvents || batch.bytes + bytes > maxBytes) {
      batch = new EventBatch();
      this.#waiting.push(batch);
    }
    batch.add(text, bytes);
    return batch;
  }

  /** Sends everything that waits, as far as there are places. */
  #ship(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const places = this.#options.maxInFlight - this.#batches.size;
    for (const batch of this.#waiting.splice(0, places)) this.#send(batch);
    this.#overdue = this.#waiting.length > 0;
  }

  #send(batch: EventBatch): void {
    const sent: Promise<void> = this.#store(batch).finally(() => {
      this.#batches.delete(sent);
      this.#queued -= batch.texts.length;
      if (this.#overdue) this.#ship();
      this.#tellSpace();
    });
    this.#batches.add(sent);
  }

  async #store(batch: EventBatch): Promise<void> {
    const message = {
      subject: inNamespace(this.#bus, 'events.batch'),
      data: encodeBatch(batch.texts),
      headers: [[HEADERS.messageId, randomUUID()]] as const,
      timeoutMs: TRY_MS,
      signal: this.#stop.signal,
    };
    for (let failures = 0; ; failures++) {
      try {
        const { seq } = await publishStored(this.#bus, message);
        this.#succeeded();
        batch.resolve({ seq });
        return;
      } catch (error) {
        const end = this.#endOf(error);
        if (end) {
          batch.reject(end);
          return;
        }
        this.#failed(error);
        await pause(Math.random() * Math.min(MAX_BACKOFF_MS, 200 * 2 ** failures), this.#stop.signal);
      }
    }
  }

  /** What ends the trying; everything else passes some day. */
  #endOf(error: unknown): Error | undefined {
    if (error instanceof PublishRefusedError && error.code === 'payload_too_large') return error;
    const isOver = this.#stop.signal.aborted || this.#bus.closing.signal.aborted;
    return isOver || error instanceof BusClosedError ? new BusClosedError() : undefined;
  }

  #failed(err: unknown): void {
    if (!this.#failing)
      this.#options.log.warn({ err, queued: this.queued }, 'events cannot be stored now; trying on');
    this.#failing = true;
  }

  #succeeded(): void {
    if (this.#failing) this.#options.log.info({ queued: this.queued }, 'events are stored again');
    this.#failing = false;
  }

  #tellSpace(): void {
    if (!this.#full || this.queued >= this.#options.maxQueued) return;
    this.#full = false;
    for (const listener of this.#listeners) listener();
  }
}

function refused(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

/** An event that nobody waits for must not end the process when it is given up. */
function ignore(): void {}
