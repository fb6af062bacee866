import type { Priority } from '@jetbeat/core';
import type { Msg } from '@nats-io/nats-core';
import { type DeliveryFacts, storedTime } from '../connection/ack-subject.ts';
import type { BusConnection } from '../connection/bus.ts';
import { headerFinder } from '../connection/header-block.ts';
import type { RawMessage } from '../publishing/publish-one.ts';
import { HEADERS, readHeaders } from '../streams/headers.ts';
import type { Lane } from '../streams/names.ts';
import { sendAck, sendNak } from './acknowledge.ts';
import { type Arrival, readArrival } from './arrival.ts';

/**
 * A message of JOBS in the hands of a worker. Its body is not read here: it may be anything. What settles it is fire
 * and forget and never throws: what gets lost with the connection means that the message comes again.
 */
export interface Delivery extends RawMessage {
  readonly queue: string;
  readonly lane: Lane;
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
  /** The span before this run, as a `traceparent`. */
  readonly link: string | undefined;
  /** Of what was parked: how it had come to its queue before. */
  readonly arrival: Arrival | undefined;
  /** When the message was stored, by the server's clock: Unix milliseconds. */
  readonly storedAt: number | undefined;
  /** Done: it leaves the queue. */
  ack(): void;
  /** Gives it back, to be handed out again after `delayMs`, or at once. */
  nak(delayMs?: number): void;
}

/** A lane of a queue. */
export interface DeliveryLane {
  readonly queue: string;
  readonly lane: Lane;
  readonly priority: Priority;
}

/** The one implementation; reads its subject and its headers only when asked. */
export class JobDelivery implements Delivery {
  readonly data: Uint8Array;
  readonly ackSubject: string;
  readonly queue: string;
  readonly lane: Lane;
  readonly priority: Priority;
  readonly seq: number;
  readonly deliveryCount: number;
  readonly consumerSeq: number;
  readonly #bus: BusConnection;
  readonly #message: Msg;
  #finder: ((name: string) => boolean) | undefined;

  constructor(bus: BusConnection, message: Msg, facts: DeliveryFacts, lane: DeliveryLane) {
    this.#bus = bus;
    this.#message = message;
    this.data = message.data;
    this.ackSubject = message.reply ?? '';
    this.queue = lane.queue;
    this.lane = lane.lane;
    this.priority = lane.priority;
    this.seq = facts.seq;
    this.deliveryCount = facts.deliveryCount;
    this.consumerSeq = facts.consumerSeq;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get headers(): ReadonlyMap<string, string> {
    return readHeaders(this.#message);
  }

  get fromTimer(): boolean {
    return this.#has(HEADERS.scheduler);
  }

  get repeat(): boolean {
    return this.#has(HEADERS.repeat);
  }

  get traceparent(): string | undefined {
    return this.#value(HEADERS.traceparent);
  }

  get link(): string | undefined {
    return this.#value(HEADERS.link);
  }

  get arrival(): Arrival | undefined {
    return readArrival(this.#value(HEADERS.arrival));
  }

  get storedAt(): number | undefined {
    return storedTime(this.ackSubject);
  }

  #has(name: string): boolean {
    this.#finder ??= headerFinder(this.#message);
    return this.#finder(name);
  }

  #value(name: string): string | undefined {
    return this.#has(name) ? this.#message.headers?.get(name) : undefined;
  }

  ack(): void {
    sendAck(this.#bus, this.ackSubject);
  }

  nak(delayMs?: number): void {
    sendNak(this.#bus, this.ackSubject, delayMs);
  }
}
