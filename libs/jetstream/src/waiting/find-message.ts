import { checkName, decodeEnvelope, type JobEnvelope } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { type Arrival, readArrival } from '../delivery/arrival.ts';
import { HEADERS } from '../streams/headers.ts';
import {
  checkId,
  inNamespace,
  type ParkedWhat,
  parkedSubject,
  streamName,
  timerSubject,
} from '../streams/names.ts';

const decoder = new TextDecoder();

/** A message in JOBS. `envelope` is absent when it is not what this version writes. */
export interface StoredJob {
  /** Stream sequence. */
  readonly seq: number;
  readonly subject: string;
  /** When it was stored, Unix milliseconds. */
  readonly time: number;
  readonly envelope?: JobEnvelope;
  readonly traceparent?: string;
  readonly link?: string;
  /** Of what is parked, or was. */
  readonly arrival?: Arrival;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Reads a message of JOBS, by its sequence or the last one of a subject, at the stream's leader: a replica that lags
 * behind would say "not found" of what is there.
 * @throws JetStreamCallError, BusClosedError
 */
export async function findMessage(
  bus: Bus,
  where: { readonly seq: number } | { readonly subject: string },
): Promise<StoredJob | undefined> {
  return find(inside(bus), 'seq' in where ? { seq: where.seq } : { last_by_subj: where.subject });
}

/**
 * The oldest job that is parked for a concurrency key or a rate, on whatever queue unless one is named; or the oldest of those stored at or
 * after a sequence.
 * @throws JetStreamCallError, BusClosedError
 */
export async function nextParked(
  bus: Bus,
  {
    hash,
    what = 'key',
    queue = '*',
    from = 1,
  }: {
    readonly hash: string;
    readonly what?: 'key' | 'rate';
    readonly queue?: string;
    readonly from?: number;
  },
): Promise<StoredJob | undefined> {
  const inner = inside(bus);
  return find(inner, { seq: from, next_by_subj: inNamespace(inner, `parked.${queue}.${what}:${hash}.*`) });
}

/**
 * A job in any of its parking places; or the first one at or after a sequence.
 * @throws JetStreamCallError, BusClosedError
 */
export async function findParked(
  bus: Bus,
  { queue, id, from = 1 }: { readonly queue: string; readonly id: string; readonly from?: number },
): Promise<StoredJob | undefined> {
  const inner = inside(bus);
  const subject = inNamespace(inner, `parked.${checkName('queue', queue)}.*.${checkId(id)}`);
  return find(inner, { seq: from, next_by_subj: subject });
}

async function find(
  inner: BusConnection,
  query: { seq: number } | { last_by_subj: string } | { seq: number; next_by_subj: string },
): Promise<StoredJob | undefined> {
  const found = await manage(inner, 'reading a message', async (jsm) => {
    try {
      return await jsm.streams.getMessage(streamName(inner, 'JOBS'), query);
    } catch (error) {
      if (isApiError(error, API.noMessage)) return null;
      throw error;
    }
  });
  return found ? storedJob(found) : undefined;
}

/** Reads what a message of JOBS says; `header`: nothing when it has none. */
export function storedJob(found: {
  readonly seq: number;
  readonly subject: string;
  readonly time: Date;
  readonly header: Iterable<[string, string[]]> | undefined;
  readonly data: Uint8Array;
}): StoredJob {
  const headers = new Map<string, string>();
  for (const [name, values] of found.header ?? []) headers.set(name, values[0] ?? '');
  const envelope = readEnvelope(found.data);
  const traceparent = headers.get(HEADERS.traceparent);
  const link = headers.get(HEADERS.link);
  const arrival = readArrival(headers.get(HEADERS.arrival));
  return {
    seq: found.seq,
    subject: found.subject,
    time: found.time.getTime(),
    data: found.data,
    headers,
    ...(envelope ? { envelope } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(link === undefined ? {} : { link }),
    ...(arrival ? { arrival } : {}),
  };
}

/**
 * Deletes one message of JOBS.
 * @returns whether it was there
 * @throws JetStreamCallError, BusClosedError
 */
export async function deleteJobMessage(bus: Bus, seq: number): Promise<boolean> {
  const inner = inside(bus);
  return deleteMessage(inner, streamName(inner, 'JOBS'), seq);
}

/**
 * Deletes one message of any stream.
 * @returns whether it was there
 * @throws JetStreamCallError, BusClosedError
 */
export async function deleteMessage(bus: BusConnection, stream: string, seq: number): Promise<boolean> {
  return manage(bus, 'deleting a message', async (jsm) => {
    try {
      return await jsm.streams.deleteMessage(stream, seq, false);
    } catch (error) {
      // For a message that is not there the server has no code of its own, only this text within its general one.
      const gone = isApiError(error, API.deleteFailed) && /no message found/.test(error.message);
      if (gone || isApiError(error, API.noMessage, API.sequenceNotFound)) return false;
      throw error;
    }
  });
}

/**
 * Removes the timer of a job. Returns how many messages that were: 0 or 1.
 * @throws JetStreamCallError, BusClosedError
 */
export function removeTimer(bus: Bus, id: string): Promise<number> {
  return purge(bus, timerSubject(bus, id));
}

/**
 * Removes a job from wherever it is parked. Returns how many messages that were.
 * @throws JetStreamCallError, BusClosedError
 */
export function removeParked(
  bus: Bus,
  parked: { readonly id: string; readonly queue?: string },
): Promise<number> {
  const { id, queue } = parked;
  return purge(bus, inNamespace(bus, `parked.${queue ?? '*'}.*.${checkId(id)}`));
}

/**
 * Removes a job from one parking place. Returns how many messages that were: 0 or 1.
 * @throws JetStreamCallError, BusClosedError
 */
export function removeParkedAt(
  bus: Bus,
  place: { readonly queue: string; readonly what: ParkedWhat; readonly id: string },
): Promise<number> {
  return purge(bus, parkedSubject(bus, place));
}

/** Every step of a job that may have left something behind asks for this: what the server carries out at once takes the short way. */
async function purge(bus: Bus, filter: string): Promise<number> {
  const inner = inside(bus);
  const stream = streamName(inner, 'JOBS');
  const purged = inner.connected ? await purgeAtOnce(inner, stream, filter) : undefined;
  if (purged !== undefined) return purged;
  const answer = await manage(inner, `purging ${filter}`, (jsm) => jsm.streams.purge(stream, { filter }));
  return answer.purged;
}

/** Without the client's request, which makes two errors and a timer of each: `undefined` for any other answer than the usual one. */
async function purgeAtOnce(bus: BusConnection, stream: string, filter: string): Promise<number | undefined> {
  const reply = await bus.replies.send({
    subject: `$JS.API.STREAM.PURGE.${stream}`,
    data: Buffer.from(JSON.stringify({ filter })),
    timeoutMs: bus.callTimeoutMs,
  });
  if (reply.kind !== 'message') return undefined;
  const { success, purged } = JSON.parse(decoder.decode(reply.data)) as {
    success?: boolean;
    purged?: number;
  };
  return success === true ? (purged ?? 0) : undefined;
}

function readEnvelope(data: Uint8Array): JobEnvelope | undefined {
  try {
    return decodeEnvelope(data);
  } catch {
    return undefined;
  }
}
