import type { MsgHdrs } from '@nats-io/nats-core';
import type { BusConnection } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { streamName } from './names.ts';

/** A message of a page. */
export interface PageMessage {
  readonly seq: number;
  readonly subject: string;
  /** When it was stored, Unix milliseconds. */
  readonly storedAt: number;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

/** Some messages of a stream, in the order of their sequences. */
export interface MessagePage {
  readonly messages: readonly PageMessage[];
  /** Sequence at which to read on; absent at the end. */
  readonly next?: number;
}

/** Messages in one page, and their bytes. */
const PAGE = { batch: 500, max_bytes: 4 * 1024 ** 2 };
/** Headers that the answer of the server adds (NATS ADR-31). */
const OF_SERVER = new Set([
  'Nats-Stream',
  'Nats-Sequence',
  'Nats-Subject',
  'Nats-Time-Stamp',
  'Nats-Last-Sequence',
  'Nats-Num-Pending',
  'Nats-UpTo-Sequence',
]);

/**
 * Reads messages of a stream whose subject fits, a page at a time, from a sequence or a time on. Any replica may answer
 * (NATS ADR-31), so what is absent need not be gone.
 * @throws JetStreamCallError when no whole page came in time
 */
export async function readPage(
  bus: BusConnection,
  params: {
    readonly stream: 'JOBS' | 'EVENTS' | 'DEAD';
    readonly subject: string;
    /** Sequence. */
    readonly from: number;
    /** Last sequence that is of interest. */
    readonly upTo?: number;
    /** Only from this time on, Unix milliseconds; instead of `from`. */
    readonly since?: number;
    readonly batch?: number;
    readonly maxBytes?: number;
  },
): Promise<MessagePage> {
  const { stream, subject, from, since, upTo = Number.MAX_SAFE_INTEGER } = params;
  const { batch = PAGE.batch, maxBytes = PAGE.max_bytes } = params;
  if (from > upTo) return { messages: [] };
  const start = since === undefined ? { seq: from } : { start_time: new Date(since).toISOString() };
  const request = JSON.stringify({ ...start, next_by_subj: subject, batch, max_bytes: maxBytes });
  const messages: PageMessage[] = [];
  let last = 0;
  const how = { strategy: 'sentinel', maxWait: bus.callTimeoutMs } as const;
  const address = `$JS.API.DIRECT.GET.${streamName(bus, stream)}`;
  try {
    for await (const { headers, data } of await bus.nc.requestMany(address, request, how)) {
      const left = leftOf(headers);
      if (left !== undefined)
        return left > 0 && last > 0 && last < upTo ? { messages, next: last + 1 } : { messages };
      const message = headers && readMessage(headers, data);
      if (!message) continue;
      last = message.seq;
      if (last <= upTo) messages.push(message);
    }
  } catch (cause) {
    throw new JetStreamCallError(`reading ${stream} failed`, { cause });
  }
  throw new JetStreamCallError(`reading ${stream}: no answer in time`);
}

/** How many messages are left after the page, at its end: that has a status, 204, or 404 where there was nothing at all. */
function leftOf(headers: MsgHdrs | undefined): number | undefined {
  if (headers?.code !== 204 && headers?.code !== 404) return undefined;
  return Number(headers.get('Nats-Num-Pending') || 0);
}

function readMessage(headers: MsgHdrs, data: Uint8Array): PageMessage | undefined {
  if (!headers.has('Nats-Sequence')) return undefined;
  const own = new Map<string, string>();
  for (const [name, values] of headers) if (!OF_SERVER.has(name)) own.set(name, values[0] ?? '');
  return {
    seq: Number(headers.get('Nats-Sequence')),
    subject: headers.get('Nats-Subject'),
    storedAt: Date.parse(headers.get('Nats-Time-Stamp')),
    data,
    headers: own,
  };
}
