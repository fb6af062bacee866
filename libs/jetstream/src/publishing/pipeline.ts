import { JetbeatError } from '@jetbeat/core';
import type { BusConnection } from '../connection/bus.ts';
import { PublishRefusedError } from '../connection/errors.ts';
import type { Open, Reply } from '../connection/replies.ts';
import { address, type JobMessage, jobMessage, jobText } from './job-message.ts';
import type { JobToPublish, PublishResult } from './job-to-publish.ts';
import { publishStored, TRY_MS } from './publish-stored.ts';
import { readSequence } from './read-sequence.ts';

/** How the jobs of one call are published. */
export interface PipelineOptions {
  /** Bound of one job, from when it is sent, in milliseconds. */
  readonly timeoutMs: number;
  /** These were sent before, and may have been stored. */
  readonly uncertain?: boolean;
}

/** Jobs that are sent and not answered, of all calls together. More keep the server no busier, and delay who comes next. */
const IN_FLIGHT = 1_000;
/** Once so many are in flight, the next leave when a good part is answered: a write to the socket costs more than a job. */
const REFILL = 500;
/** Jobs of one call that are sent before the next call has its turn. */
const TURN = 50;

/**
 * Publishes jobs over one connection, many in flight. What every job costs here is one encoding, one entry in a map and one
 * look at its answer; what is answered anything but "stored" goes the slow way of `publishStored`, which tries again.
 */
export class Pipeline {
  readonly #bus: BusConnection;
  readonly #calls = new Set<Call>();
  #inFlight = 0;
  /** Of these, those on the slow way, which may take long. */
  #slow = 0;

  constructor(bus: BusConnection) {
    this.#bus = bus;
  }

  /** One result per job, in the same order. Never rejects. */
  publish(items: readonly JobToPublish[], options: PipelineOptions): Promise<PublishResult[]> {
    if (items.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const results = new Array<PublishResult>(items.length);
      this.#calls.add({ items, ...options, results, resolve, next: 0, open: items.length, away: false });
      this.#pump();
    });
  }

  /** Sends what there is room for, the calls in turn. */
  #pump(): void {
    for (const call of this.#calls) {
      const end = Math.min(call.items.length, call.next + TURN);
      while (call.next < end && this.#inFlight < IN_FLIGHT) this.#send(call, call.next++);
      if (call.next === call.items.length) this.#calls.delete(call);
      if (this.#inFlight >= IN_FLIGHT) return;
      if (call.next === call.items.length) continue;
      // To the end, behind those that wait.
      this.#calls.delete(call);
      this.#calls.add(call);
    }
  }

  #send(call: Call, index: number): void {
    const item = call.items[index];
    if (!item) return;
    let message: JobMessage;
    try {
      message = jobMessage(this.#bus, item);
    } catch (error) {
      finish(call, index, refusal(error));
      return;
    }
    this.#inFlight++;
    if (!this.#bus.connected || call.uncertain) {
      void this.#publishSlowly(call, index, item);
      return;
    }
    const { subject, headers, data } = message;
    this.#bus.replies.post(subject, data, headers.forClient, new Sent(call, index, item, this.#onReply));
  }

  readonly #onReply = (sent: Sent, reply: Reply): void => {
    const { call, index, item } = sent;
    const seq = reply.kind === 'message' ? readSequence(reply.data) : 0;
    if (seq === 0) {
      void this.#publishSlowly(call, index, item, { reply, sentAt: sent.at });
      return;
    }
    this.#inFlight--;
    finish(call, index, { ok: true, seq, duplicate: false, delayed: item.at !== undefined });
    if (this.#inFlight - this.#slow <= REFILL) this.#pump();
  };

  async #publishSlowly(call: Call, index: number, item: JobToPublish, tried?: Tried): Promise<void> {
    this.#slow++;
    const result = await this.#store(call, item, tried);
    call.away =
      !result.ok && result.error instanceof PublishRefusedError && result.error.code === 'not_connected';
    this.#slow--;
    this.#inFlight--;
    finish(call, index, result);
    this.#pump();
  }

  async #store(call: Call, item: JobToPublish, tried?: Tried): Promise<PublishResult> {
    const spent = tried ? performance.now() - tried.sentAt : 0;
    // With the server gone for the whole bound of one, the rest need not wait as long, one after the other.
    const timeoutMs = call.away && !this.#bus.connected ? 0 : call.timeoutMs - spent;
    try {
      const { subject, headers } = address(this.#bus, item);
      const data = Buffer.from(jobText(item));
      const message = { subject, headers, data, timeoutMs, marksRepeat: item.repeat !== true };
      const begun = { ...(tried ? { reply: tried.reply } : {}), uncertain: call.uncertain === true };
      const stored = await publishStored(this.#bus, message, begun);
      return { ok: true, ...stored, delayed: item.at !== undefined };
    } catch (error) {
      return refusal(error);
    }
  }
}

/** A job that is on its way; an object, since a function of its own would cost more. */
class Sent implements Open {
  readonly call: Call;
  readonly index: number;
  readonly item: JobToPublish;
  /** By `performance.now()`. */
  readonly at: number;
  readonly deadline: number;
  readonly #onReply: (sent: Sent, reply: Reply) => void;

  constructor(call: Call, index: number, item: JobToPublish, onReply: (sent: Sent, reply: Reply) => void) {
    this.call = call;
    this.index = index;
    this.item = item;
    this.at = performance.now();
    this.deadline = this.at + Math.min(TRY_MS, call.timeoutMs);
    this.#onReply = onReply;
  }

  onReply(reply: Reply): void {
    this.#onReply(this, reply);
  }
}

/** The first try of a job, which did not end well. */
interface Tried {
  readonly reply: Reply;
  /** By `performance.now()`. */
  readonly sentAt: number;
}

interface Call extends PipelineOptions {
  readonly items: readonly JobToPublish[];
  readonly results: PublishResult[];
  readonly resolve: (results: PublishResult[]) => void;
  /** The job that is sent next. */
  next: number;
  /** Jobs without a result. */
  open: number;
  /** The last that came back found no connection. */
  away: boolean;
}

function finish(call: Call, index: number, result: PublishResult): void {
  call.results[index] = result;
  if (--call.open === 0) call.resolve(call.results);
}

/** The result of a job that could not be published. */
export function refusal(error: unknown): PublishResult & { readonly ok: false } {
  if (error instanceof JetbeatError) return { ok: false, error };
  const text = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  return { ok: false, error: new PublishRefusedError('publish_refused', `not stored: ${text}`, cause) };
}
