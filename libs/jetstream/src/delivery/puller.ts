import { createInbox, type Msg, nanos, type Subscription } from '@nats-io/nats-core';
import { type DeliveryFacts, parseAckSubject } from '../connection/ack-subject.ts';
import type { BusConnection } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { within } from '../connection/pause.ts';
import { HEADERS } from '../streams/headers.ts';
import { sendNak } from './acknowledge.ts';
import { type EndedPull, PullBook, type PullStatus } from './pull-book.ts';

/** What a pull asks for. Times in milliseconds. */
export interface PullRequest {
  readonly batch: number;
  /** The server ends it before the message that would be one too many, in bytes with headers. Default: no bound. */
  readonly maxBytes?: number;
  /** Only what is there now. */
  readonly noWait?: boolean;
  /** How long the server waits for messages. Default 5,000. */
  readonly expiresMs?: number;
}

/** A message and what JetStream says of it. */
export interface Pulled {
  readonly message: Msg;
  readonly facts: DeliveryFacts;
}

/** What to pull and whom to tell. */
export interface PullerParams {
  readonly bus: BusConnection;
  readonly stream: string;
  readonly consumers: readonly string[];
  /** Gets what arrived in one turn of the event loop. */
  readonly onMessages: (messages: Pulled[]) => void;
  readonly onEnd: (consumer: string, end: EndedPull) => void;
  readonly log: Log;
}

const EXPIRES_MS = 5_000;
/** How much later than its time a pull's end may arrive. */
const GRACE_MS = 2_000;
const CHECK_MS = 250;
const encoder = new TextEncoder();

/**
 * Pulls from durable consumers by hand: one subscription takes the replies of all of them. The client's own `consume`
 * dies silently, holds more than it was asked for, and cannot ask without waiting (NATS ADR-13, ADR-37).
 */
export class Puller {
  readonly #params: PullerParams;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #books: ReadonlyMap<string, PullBook>;
  readonly #forget: (() => void)[];
  #next = 0;
  #arrived: Pulled[] = [];
  #ends: [string, EndedPull][] = [];
  #flushing = false;
  #check: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(params: PullerParams) {
    this.#params = params;
    this.#books = new Map(params.consumers.map((consumer) => [consumer, new PullBook()]));
    this.#subscription = params.bus.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => this.#take(error, message),
    });
    this.#forget = [params.bus.onReconnect(() => this.#lose()), params.bus.own(() => this.close())];
  }

  /** Messages that may still come from this consumer. */
  outstanding(consumer: string): number {
    return this.#books.get(consumer)?.outstanding ?? 0;
  }

  /** Pulls of this consumer that are out. */
  pulls(consumer: string): number {
    return this.#books.get(consumer)?.size ?? 0;
  }

  /** Sends a pull. Without a connection it is only noted, and ends as `lost` after the reconnect. */
  pull(consumer: string, request: PullRequest): void {
    const book = this.#books.get(consumer);
    if (!book || this.#closing || !(request.batch >= 1)) return;
    const id = this.#next++;
    const expiresMs = request.noWait ? 0 : (request.expiresMs ?? EXPIRES_MS);
    book.add(id, { batch: request.batch, deadline: performance.now() + expiresMs + GRACE_MS });
    this.#check ??= setInterval(() => this.#expire(), CHECK_MS);
    const { bus, stream } = this.#params;
    if (!bus.connected) return;
    const how = request.noWait ? { no_wait: true } : { expires: nanos(expiresMs) };
    const bound = request.maxBytes === undefined ? {} : { max_bytes: request.maxBytes };
    const body = encoder.encode(JSON.stringify({ batch: request.batch, ...bound, ...how }));
    bus.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, body, {
      // A status names its pull, also when that is over by our account.
      reply: `${this.#inbox}.${id}_${request.noWait ? 1 : 0}_${this.#params.consumers.indexOf(consumer)}`,
    });
  }

  /** Takes no more. What still arrives is given back at once. Safe twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const forget of this.#forget) forget();
    clearInterval(this.#check);
    this.#check = undefined;
    const { bus } = this.#params;
    if (bus.connected)
      await within(
        this.#subscription.drain().catch(() => {}),
        1_000,
      );
    if (!bus.nc.isClosed()) this.#subscription.unsubscribe();
  }

  /** Called by the client for every message; an exception here would end its reader. */
  #take(error: Error | null, message: Msg): void {
    if (error) return;
    try {
      // What a job's message has and a status has not; reading a subject costs something each time.
      if (message.reply) this.#message(message, message.reply);
      else this.#status(message);
    } catch (err) {
      this.#params.log.error({ err }, 'a message from JetStream could not be read');
    }
  }

  #message(message: Msg, ackSubject: string): void {
    const facts = parseAckSubject(ackSubject);
    const book = facts && this.#books.get(facts.consumer);
    if (!facts || !book) {
      this.#params.log.warn({ ackSubject }, 'a message that was not asked for');
    } else if (this.#closing !== undefined) {
      sendNak(this.#params.bus, ackSubject);
    } else {
      this.#arrived.push({ message, facts });
      this.#note(facts.consumer, book.delivered());
    }
  }

  #status(message: Msg): void {
    const [id = -1, noWait, index = -1] = message.subject
      .slice(this.#inbox.length + 1)
      .split('_')
      .map(Number);
    const consumer = this.#params.consumers[index];
    const { code = 0, description = '' } = message.headers ?? {};
    // 100 is a heartbeat.
    if (consumer === undefined || code === 100) return;
    const left = message.headers?.get(HEADERS.pendingMessages);
    const status = statusOf(code, description, noWait === 1);
    if (status === 'refused')
      this.#params.log.warn({ consumer, code, description }, 'JetStream refuses a pull');
    this.#note(consumer, this.#books.get(consumer)?.ended(id, status, left ? Number(left) : undefined) ?? []);
  }

  #note(consumer: string, ends: readonly EndedPull[]): void {
    for (const end of ends) this.#ends.push([consumer, end]);
    if (this.#flushing || (this.#arrived.length === 0 && this.#ends.length === 0)) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** Hands over what arrived together: messages first, since an end says that they have come. */
  #flush(): void {
    this.#flushing = false;
    const messages = this.#arrived;
    const ends = this.#ends;
    this.#arrived = [];
    this.#ends = [];
    if (messages.length > 0) this.#guard(() => this.#params.onMessages(messages));
    for (const [consumer, end] of ends) this.#guard(() => this.#params.onEnd(consumer, end));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (err) {
      this.#params.log.error({ err }, 'the receiver of messages failed');
    }
  }

  #lose(): void {
    for (const [consumer, book] of this.#books) this.#note(consumer, book.lose());
  }

  #expire(): void {
    // While the connection is away nothing is lost yet: the reconnect tells.
    if (!this.#params.bus.connected) return;
    for (const [consumer, book] of this.#books) this.#note(consumer, book.expire(performance.now()));
    if ([...this.#books.values()].every((book) => book.size === 0)) {
      clearInterval(this.#check);
      this.#check = undefined;
    }
  }
}

/** Status codes of a pull, NATS ADR-13 and nats-server `consumer.go`. */
function statusOf(code: number, description: string, noWait: boolean): PullStatus {
  if (code === 404) return 'empty';
  if (code === 408) return noWait ? 'empty' : 'expired';
  return code === 409 && /batch completed|exceeds maxbytes/i.test(description) ? 'done' : 'refused';
}
