import { createHash } from 'node:crypto';
import {
  encodeEnvelope,
  isName,
  type JobEnvelope,
  messageId,
  type Reason,
  type StoredError,
} from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import { type Arrival, arrivalHeader } from '../delivery/arrival.ts';
import {
  asciiJson,
  foreignHeaders,
  HEADERS,
  type Header,
  linkHeader,
  traceHeader,
} from '../streams/headers.ts';
import { deadSubject, type ParkedWhat, parkedSubject, parseSubject } from '../streams/names.ts';
import { publishStored, type Stored } from './publish-stored.ts';

/** A message as it was stored, whatever is in it. */
export interface RawMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

/** A job, or a message that never was one, that is given up. */
export interface DeadLetter {
  readonly reason: Reason;
  readonly error?: StoredError;
  readonly traceparent?: string | undefined;
  readonly from: { readonly envelope: JobEnvelope } | { readonly delivery: RawMessage };
}

const TIMEOUT_MS = 5_000;
/** Room for the headers of a dead letter beside the body. */
const MAX_FOREIGN = 16_384;
/** What is always left for its own headers: a body at the server's limit is cut, since it could never be stored. */
const OWN_ROOM = 4_096;

/**
 * Stores a dead letter: the message, whole unless it fills all that the server takes, and why. The same one again within the duplicate window is stored once.
 * @throws PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function publishDead(bus: Bus, dead: DeadLetter): Promise<void> {
  const inner = inside(bus);
  const { from, reason, error } = dead;
  const known = 'envelope' in from ? undefined : parseSubject(inner, from.delivery.subject);
  const job = 'envelope' in from ? from.envelope : known?.kind === 'job' ? known : undefined;
  const body = 'envelope' in from ? encodeEnvelope(from.envelope) : from.delivery.data;
  const data = body.subarray(0, inner.maxPayload - OWN_ROOM);
  const facts = {
    ...('envelope' in from ? {} : { subject: from.delivery.subject, seq: from.delivery.seq }),
    ...(data.length < body.length ? { truncated: true, bytes: body.length } : {}),
  };
  const id =
    'envelope' in from ? messageId(from.envelope) : `${from.delivery.seq}.${digest(from.delivery.data)}`;
  const foreign = 'envelope' in from ? [] : foreignHeaders(from.delivery.headers);
  const foreignBytes = foreign.reduce((sum, [name, value]) => sum + name.length + 3 * value.length, 0);
  const space = inner.maxPayload - data.length - 2_048;
  const whole = asciiJson({ reason, ...(error ? { error } : {}), ...facts, at: Date.now() });
  const headers: Header[] = [
    [HEADERS.messageId, `dead.${id}`],
    [HEADERS.deadReason, reason.code.replaceAll(/[^\w.-]/g, '_').slice(0, 128)],
    // A body at the server's limit leaves no room for a long story; the body comes first.
    [
      HEADERS.dead,
      whole.length <= space ? whole : asciiJson({ reason: { code: reason.code.slice(0, 128) }, ...facts }),
    ],
    ...traceHeader(dead.traceparent),
    ...(foreignBytes <= Math.min(MAX_FOREIGN, space - whole.length) ? foreign : []),
  ];
  const subject = deadSubject(inner, job?.queue ?? queueOf(inner.namespace, from), job?.task ?? 'malformed');
  await publishStored(inner, { subject, data, headers, timeoutMs: TIMEOUT_MS });
}

/**
 * Parks a job: it waits under its own subject, which no consumer reads, and replaces one parked there before.
 * @param parked `envelope.parks` counts this parking already
 * @returns its sequence in JOBS
 * @throws PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function parkJob(
  bus: Bus,
  parked: {
    readonly envelope: JobEnvelope;
    readonly what: ParkedWhat;
    readonly traceparent?: string | undefined;
    readonly link?: string | undefined;
    readonly arrival?: Arrival | undefined;
  },
): Promise<{ seq: number }> {
  const inner = inside(bus);
  const { envelope, what, traceparent, link, arrival } = parked;
  const stored: Stored = await publishStored(inner, {
    subject: parkedSubject(inner, { queue: envelope.queue, what, id: envelope.id }),
    data: encodeEnvelope(envelope),
    headers: [
      [HEADERS.messageId, messageId(envelope)],
      [HEADERS.rollup, 'sub'],
      ...arrivalHeader(arrival),
      ...traceHeader(traceparent),
      ...linkHeader(link),
    ],
    timeoutMs: TIMEOUT_MS,
  });
  return { seq: stored.seq };
}

/** The queue in a subject of a job whose task is no name. */
function queueOf(namespace: string, from: DeadLetter['from']): string {
  const subject = 'envelope' in from ? '' : from.delivery.subject;
  const queue = subject.split('.')[namespace === '' ? 1 : 2];
  return isName('queue', queue) ? queue : '_';
}

function digest(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}
