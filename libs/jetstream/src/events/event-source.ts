import type { Msg } from '@nats-io/nats-core';
import type { DeliveryFacts } from '../connection/ack-subject.ts';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { pause } from '../connection/pause.ts';
import { sendAck, sendNak, sendWorking } from '../delivery/acknowledge.ts';
import { Puller } from '../delivery/puller.ts';
import { RECORDER_DURABLE, streamName } from '../streams/names.ts';
import { RECORDER_ACK_WAIT_MS } from '../streams/stream-config.ts';

/** One batch of events in the hands of a recorder. Acknowledge it only after its transaction is committed. */
export interface EventDelivery {
  /** Sequence in EVENTS. */
  readonly seq: number;
  readonly data: Uint8Array;
  ack(): void;
  nak(delayMs?: number): void;
}

/** How much a recorder takes at once. */
export interface EventSourceOptions {
  /** Batches that `next` returns at most; as many again are fetched ahead. */
  readonly maxBatches: number;
  /** Bytes of the same, or one message where the server takes larger ones. Default: no bound. */
  readonly maxBytes?: number;
  /** How long `next` waits for the first one, in milliseconds. */
  readonly maxWaitMs: number;
  readonly log?: Log;
}

/** Reads EVENTS for the recorders, which share one durable consumer. */
export interface EventSource {
  /** What has arrived, in stream order; waits for the first. Empty after `maxWaitMs`, or when closed. One call at a time. */
  next(): Promise<EventDelivery[]>;
  /** Gives back what was not taken by `next`. Safe twice. */
  close(): Promise<void>;
}

/** After a refused pull, e.g. because the consumer is being made. */
const REFUSED_MS = 250;
/** Subjects around a message, which the server counts too. */
const AROUND_BYTES = 4_096;

/** Opens the source of event batches. */
export function openEventSource(bus: Bus, options: EventSourceOptions): EventSource {
  return new PullingSource(inside(bus), options);
}

class PullingSource implements EventSource {
  readonly #options: EventSourceOptions;
  readonly #bus: BusConnection;
  readonly #puller: Puller;
  readonly #forget: () => void;
  #arrived: EventDelivery[] = [];
  #wake = () => {};
  #pullAfter = 0;
  #closed = false;
  /** Acknowledgement subjects of what is neither acknowledged nor given back. */
  readonly #open = new Set<string>();
  readonly #extending: NodeJS.Timeout;

  constructor(bus: BusConnection, options: EventSourceOptions) {
    this.#options = options;
    this.#bus = bus;
    this.#puller = new Puller({
      bus,
      stream: streamName(bus, 'EVENTS'),
      consumers: [RECORDER_DURABLE],
      log: options.log ?? bus.log,
      onMessages: (messages) => {
        for (const { message, facts } of messages) this.#arrived.push(this.#delivery(bus, message, facts));
        this.#wake();
      },
      onEnd: (_consumer, { status }) => {
        if (status === 'refused') this.#pullAfter = performance.now() + REFUSED_MS;
        this.#wake();
      },
    });
    this.#forget = bus.own(() => this.close());
    // ack_wait is short, since a batch in dead hands holds up every doubt; so living hands say that they live.
    this.#extending = setInterval(() => {
      for (const ackSubject of this.#open) sendWorking(bus, ackSubject);
    }, RECORDER_ACK_WAIT_MS / 3);
  }

  async next(): Promise<EventDelivery[]> {
    const end = performance.now() + this.#options.maxWaitMs;
    for (;;) {
      if (this.#closed) return [];
      this.#pull();
      if (this.#arrived.length > 0) return this.#arrived.splice(0, this.#options.maxBatches);
      const now = performance.now();
      if (now >= end) return [];
      const awake = new AbortController();
      this.#wake = () => awake.abort();
      const refused = this.#pullAfter > now ? this.#pullAfter - now : Number.POSITIVE_INFINITY;
      await pause(Math.min(end - now, refused), awake.signal);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#forget();
    clearInterval(this.#extending);
    this.#wake();
    for (const batch of this.#arrived.splice(0)) batch.nak();
    await this.#puller.close();
  }

  /** Keeps one pull out, so that the next batches arrive while these are being committed. */
  #pull(): void {
    const { maxBatches, maxBytes } = this.#options;
    if (this.#puller.outstanding(RECORDER_DURABLE) > 0 || this.#arrived.length >= maxBatches) return;
    if (performance.now() < this.#pullAfter) return;
    // A message that fits into no pull would never come, and hold up all behind it.
    const least = this.#bus.maxPayload + AROUND_BYTES;
    const bound = maxBytes === undefined ? {} : { maxBytes: Math.max(maxBytes, least) };
    this.#puller.pull(RECORDER_DURABLE, { batch: maxBatches, ...bound });
  }

  #delivery(bus: BusConnection, message: Msg, facts: DeliveryFacts): EventDelivery {
    const ackSubject = message.reply ?? '';
    this.#open.add(ackSubject);
    return {
      seq: facts.seq,
      data: message.data,
      ack: () => {
        this.#open.delete(ackSubject);
        sendAck(bus, ackSubject);
      },
      nak: (delayMs) => {
        this.#open.delete(ackSubject);
        sendNak(bus, ackSubject, delayMs);
      },
    };
  }
}
