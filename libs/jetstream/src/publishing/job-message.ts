import { InvalidInputError, type JobEnvelope, messageId } from '@jetbeat/core';
import type { BusConnection } from '../connection/bus.ts';
import { PublishRefusedError } from '../connection/errors.ts';
import { arrivalHeader } from '../delivery/arrival.ts';
import {
  EncodedHeaders,
  HEADERS,
  type Header,
  headText,
  isMessageId,
  linkHeader,
  traceHeader,
} from '../streams/headers.ts';
import { jobSubject, timerSubject } from '../streams/names.ts';
import type { JobToPublish } from './job-to-publish.ts';

/** A job's message as it goes over the wire. */
export interface JobMessage {
  readonly subject: string;
  readonly headers: EncodedHeaders;
  readonly data: Uint8Array;
}

/** Bytes of a message that a new job leaves free; the API refuses by the same measure. */
const JOB_ROOM = 1_024;
/** The last instant that a schedule's RFC 3339 time can name. */
const MAX_TIME = Date.UTC(9999, 11, 31);

/**
 * Writes a job's message. Headers and body are encoded as one text: several encodings of short texts cost more than all else.
 * @throws PublishRefusedError, InvalidInputError
 */
export function jobMessage(bus: BusConnection, item: JobToPublish): JobMessage {
  const { subject, headers } = address(bus, item);
  const head = headText(headers);
  const bytes = Buffer.from(head + jobText(item));
  // All headers are ASCII, so a character is a byte.
  const data = bytes.subarray(head.length);
  checkSize(bus, item.envelope, data.length, head.length);
  return { subject, headers: new EncodedHeaders(bytes.subarray(0, head.length)), data };
}

/** The job as JSON. */
export function jobText({ text, envelope }: JobToPublish): string {
  return text ?? JSON.stringify(envelope);
}

/** Where a job goes, and with which headers. Everything in them is checked or our own. */
export function address(bus: BusConnection, item: JobToPublish): { subject: string; headers: Header[] } {
  const { envelope, at, repeat } = item;
  const target = targetOf(bus, item);
  const id = item.messageId ?? messageId(envelope);
  if (!isMessageId(id))
    throw invalid('messageId', `${JSON.stringify(id)} is no message id: use printable ASCII without blanks`);
  const headers: Header[] = [[HEADERS.messageId, id]];
  if (item.traceparent !== undefined) headers.push(...traceHeader(item.traceparent));
  if (item.link !== undefined) headers.push(...linkHeader(item.link));
  if (item.arrival) headers.push(...arrivalHeader(item.arrival));
  if (repeat) headers.push([HEADERS.repeat, '1']);
  if (at === undefined) return { subject: target, headers };
  if (!(at >= 0 && at <= MAX_TIME)) throw invalid('at', `${at} is no time in Unix milliseconds`);
  headers.push([HEADERS.schedule, `@at ${new Date(at).toISOString()}`], [HEADERS.scheduleTarget, target]);
  return { subject: timerSubject(bus, envelope.id), headers };
}

/** Most jobs go where the one before went: its subject is checked and written once. */
function targetOf(
  bus: BusConnection,
  { envelope, front, priority = envelope.priority }: JobToPublish,
): string {
  const { queue, task } = envelope;
  const subject = () => jobSubject(bus, { queue, priority, front, task });
  if (front) return subject();
  const { lastTarget: last } = bus;
  if (last && last.task === task && last.queue === queue && last.priority === priority) return last.subject;
  const target = subject();
  bus.lastTarget = { queue, priority, task, subject: target };
  return target;
}

/** The same job must still fit when it is tried again, parked or dead, with the headers and events that this takes. */
function checkSize(bus: BusConnection, job: JobEnvelope, bytes: number, headerBytes: number): void {
  const { maxPayload } = bus;
  if (bytes + JOB_ROOM > maxPayload && job.attempt + job.run + job.parks <= 2) {
    const text = `not stored: ${bytes} bytes, and a job may have ${maxPayload - JOB_ROOM} (max_payload ${maxPayload} less the room for headers); put large data elsewhere and pass a reference`;
    throw new PublishRefusedError('payload_too_large', text);
  }
  if (bytes + headerBytes > maxPayload) throw tooLarge(bus, bytes, headerBytes);
}

/** Said here: the server would answer a message that is too large by closing the connection. */
export function tooLarge(bus: BusConnection, bytes: number, headerBytes: number): PublishRefusedError {
  const text = `not stored: ${bytes} bytes and ${headerBytes} bytes of headers are more than the server takes (max_payload ${bus.maxPayload}); put large data elsewhere and pass a reference`;
  return new PublishRefusedError('payload_too_large', text);
}

function invalid(field: string, message: string): InvalidInputError {
  return new InvalidInputError(message, [{ pointer: `/${field}`, code: `invalid_${field}`, message }]);
}
