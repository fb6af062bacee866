import type { Priority } from '@jetbeat/core';
import type { Msg } from '@nats-io/nats-core';
import type { DeliveryFacts } from './ack-subject.ts';
import { sendAck, sendNak } from './acknowledge.ts';
import type { BusConnection } from './bus.ts';
import { HEADERS, readHeaders } from './headers.ts';
import type { RawMessage } from './publish-one.ts';

/**
 * A message of JOBS in the hands of a worker. Its body is not read here: it may be anything. What settles it is fire
 * and forget and never throws: what gets lost with the connection means that the message comes again.
 */
export interface Delivery extends RawMessage {
  readonly queue: string;
  readonly priority: Priority;
  /** From 1. */
  readonly deliveryCount: number;
  /** Which delivery of its lane's consumer this is, from 1. */
  readonly consumerSeq: number;
  /** By which it can be extended from another connection. */
  readonly ackSubject: string;
  /** A message schedule fired it. */
  readonly fromTimer: boolean;
  /** It may be a repeat of one that was done. */
  readonly repeat: boolean;
  readonly traceparent: string | undefined;
  /** Done: it leaves the queue. */
  ack(): void;
  /** Gives it back, to be handed out again after `delayMs`, or at once. */
  nak(delayMs?: number): void;
}

/** The one implementation; reads headers only when asked. */
export class JobDelivery implements Delivery {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly ackSubject: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly seq: number;
  readonly deliveryCount: number;
  readonly consumerSeq: number;
  readonly #bus: BusConnection;
  readonly #message: Msg;
  #headers: ReadonlyMap<string, string> | undefined;

  constructor(
    bus: BusConnection,
    message: Msg,
    facts: DeliveryFacts,
    lane: { queue: string; priority: Priority },
  ) {
    this.#bus = bus;
    this.#message = message;
    this.subject = message.subject;
    this.data = message.data;
    this.ackSubject = message.reply ?? '';
    this.queue = lane.queue;
    this.priority = lane.priority;
    this.seq = facts.seq;
    this.deliveryCount = facts.deliveryCount;
    this.consumerSeq = facts.consumerSeq;
  }

  get headers(): ReadonlyMap<string, string> {
    this.#headers ??= readHeaders(this.#message);
    return this.#headers;
  }

  get fromTimer(): boolean {
    return this.headers.has(HEADERS.scheduler);
  }

  get repeat(): boolean {
    return this.headers.has(HEADERS.repeat);
  }

  get traceparent(): string | undefined {
    return this.headers.get(HEADERS.traceparent);
  }

  ack(): void {
    sendAck(this.#bus, this.ackSubject);
  }

  nak(delayMs?: number): void {
    sendNak(this.#bus, this.ackSubject, delayMs);
  }
}
