import { encodeEnvelope, InvalidInputError, JetbeatError, type JobEnvelope, messageId } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from './bus.ts';
import { PublishRefusedError } from './errors.ts';
import { HEADERS, type Header, isMessageId, traceHeader } from './headers.ts';
import { jobSubject, timerSubject } from './names.ts';
import { publishStored } from './publish-stored.ts';

/** A job on its way into JOBS. */
export interface JobToPublish {
  readonly envelope: JobEnvelope;
  /** W3C trace context; without a valid one the job is a trace of its own. */
  readonly traceparent?: string | undefined;
  /** Unix milliseconds: as a timer that fires then, replacing one of the same job. A time that has passed fires at once. */
  readonly at?: number;
  /** An earlier publish of the same may have succeeded: whoever takes it asks before it runs it. */
  readonly repeat?: boolean;
  /** Default: that of the envelope's position, so that a repeat within the duplicate window is stored once. */
  readonly messageId?: string;
}

/** What became of one job. `delayed`: it is a timer now, and `seq` is the timer's. */
export type PublishResult =
  | { readonly ok: true; readonly seq: number; readonly duplicate: boolean; readonly delayed: boolean }
  | { readonly ok: false; readonly error: JetbeatError };

/** Default bound of one publish, in milliseconds. */
const TIMEOUT_MS = 5_000;
/** Bytes of a message that a new job leaves free; the API refuses by the same measure. */
const JOB_ROOM = 1_024;
/** The last instant that a schedule's RFC 3339 time can name. */
const MAX_TIME = Date.UTC(9999, 11, 31);

/**
 * Publishes jobs, at most 500 in flight per connection, and waits until JetStream has answered for each.
 * @returns a result per job, in the same order. `error` is PublishRefusedError or InvalidInputError (definitely not stored),
 *   PublishUnconfirmedError (may be stored), or BusClosedError. Never rejects.
 */
export async function publishJobs(
  bus: Bus,
  items: readonly JobToPublish[],
  options: { readonly timeoutMs?: number } = {},
): Promise<PublishResult[]> {
  const inner = inside(bus);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const results = new Array<PublishResult>(items.length);
  const open: Promise<void>[] = [];
  let away = false;
  for (const [index, item] of items.entries()) {
    const place = inner.window.take();
    if (place !== undefined) await place;
    // With the server gone for the whole bound of one, the rest need not wait as long, one after the other.
    const bound = away && !inner.connected ? 0 : timeoutMs;
    const job = publishJob(inner, item, bound).then((result) => {
      away =
        !result.ok && result.error instanceof PublishRefusedError && result.error.code === 'not_connected';
      results[index] = result;
      inner.window.give();
    });
    open.push(job);
  }
  await Promise.all(open);
  return results;
}

async function publishJob(bus: BusConnection, item: JobToPublish, timeoutMs: number): Promise<PublishResult> {
  try {
    const { subject, headers } = address(bus, item);
    const data = encodeEnvelope(item.envelope);
    leaveRoom(bus, item.envelope, data.length);
    const stored = await publishStored(bus, {
      subject,
      data,
      headers,
      timeoutMs,
      marksRepeat: item.repeat !== true,
    });
    return { ok: true, ...stored, delayed: item.at !== undefined };
  } catch (error) {
    if (error instanceof JetbeatError) return { ok: false, error };
    const text = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      error: new PublishRefusedError('publish_refused', `not stored: ${text}`, { cause: error }),
    };
  }
}

/** The same job must still fit when it is tried again, parked or dead, with the headers and events that this takes. */
function leaveRoom(bus: BusConnection, { attempt, run, parks }: JobEnvelope, bytes: number): void {
  if (bytes + JOB_ROOM <= bus.maxPayload || attempt + run + parks > 2) return;
  const text = `not stored: ${bytes} bytes, and a job may have ${bus.maxPayload - JOB_ROOM} (max_payload ${bus.maxPayload} less the room for headers); put large data elsewhere and pass a reference`;
  throw new PublishRefusedError('payload_too_large', text);
}

/** Where a job goes, and with which headers. Everything in them is checked or our own. */
function address(bus: BusConnection, item: JobToPublish): { subject: string; headers: Header[] } {
  const { envelope, at, repeat } = item;
  const target = jobSubject(bus, envelope);
  const id = item.messageId ?? messageId(envelope);
  if (!isMessageId(id))
    throw invalid('messageId', `${JSON.stringify(id)} is no message id: use printable ASCII without blanks`);
  const headers: Header[] = [
    [HEADERS.messageId, id],
    ...traceHeader(item.traceparent),
    ...(repeat ? [[HEADERS.repeat, '1'] as const] : []),
  ];
  if (at === undefined) return { subject: target, headers };
  if (!(at >= 0 && at <= MAX_TIME)) throw invalid('at', `${at} is no time in Unix milliseconds`);
  headers.push([HEADERS.schedule, `@at ${new Date(at).toISOString()}`], [HEADERS.scheduleTarget, target]);
  return { subject: timerSubject(bus, envelope.id), headers };
}

function invalid(field: string, message: string): InvalidInputError {
  return new InvalidInputError(message, [{ pointer: `/${field}`, code: `invalid_${field}`, message }]);
}
