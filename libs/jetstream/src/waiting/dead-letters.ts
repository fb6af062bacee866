import { decodeEnvelope, type JobEnvelope, type Reason } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { HEADERS } from '../streams/headers.ts';
import { deadSubject, inNamespace, parseSubject, streamName } from '../streams/names.ts';
import { type PageMessage, readPage } from '../streams/read-page.ts';

/** A message of DEAD. */
export interface DeadMessage {
  readonly seq: number;
  /** Unix milliseconds. */
  readonly storedAt: number;
  readonly queue: string;
  readonly task: string;
  readonly reason: Reason;
  /** Where the message came from in JOBS, of one that was no job. */
  readonly from?: { readonly subject: string; readonly seq: number };
  /** It is not whole, since the server would not have taken it. */
  readonly truncated: boolean;
  readonly data: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  /** Absent where the body is no job. */
  readonly envelope?: JobEnvelope;
}

/** What it says of a message that never was a job. */
const MALFORMED = 'malformed';
/** Pages that one call reads at most, and messages in each. */
const PAGES = 20;
const BATCH = 200;
/** The clocks of whoever told history and of the server may differ. */
const SKEW_MS = 120_000;

/**
 * Messages that never were a job, oldest first; the others are in history. DEAD holds all of them, so that one call may
 * find fewer than `limit` and still tell where to read on.
 * @throws JetStreamCallError
 */
export async function malformedMessages(
  bus: Bus,
  params: {
    readonly from: number;
    readonly limit: number;
    readonly queue?: string;
    /** Only those of these queues. */
    readonly queues?: readonly string[] | undefined;
  },
): Promise<{ readonly messages: readonly DeadMessage[]; readonly next?: number }> {
  const inner = inside(bus);
  const subject = inNamespace(inner, params.queue === undefined ? 'dead.>' : `dead.${params.queue}.>`);
  const messages: DeadMessage[] = [];
  let next: number | undefined = params.from;
  for (let pages = 0; next !== undefined && pages < PAGES; pages++) {
    const page = await readPage(inner, { stream: 'DEAD', subject, from: next, batch: BATCH });
    for (const message of page.messages) {
      if (message.headers.get(HEADERS.deadReason) !== MALFORMED) continue;
      if (messages.length === params.limit) return { messages, next: message.seq };
      const dead = readDead(bus, message);
      if (params.queues?.includes(dead.queue) !== false) messages.push(dead);
    }
    next = page.next;
  }
  return { messages, ...(next === undefined ? {} : { next }) };
}

/**
 * The dead letter of a job, whole; undefined when it is not there, or not among the next thousands after its end.
 * @param params.since when the job ended, Unix milliseconds
 * @throws JetStreamCallError
 */
export async function findDeadJob(
  bus: Bus,
  params: { readonly id: string; readonly queue: string; readonly task: string; readonly since: number },
): Promise<DeadMessage | undefined> {
  const inner = inside(bus);
  const { id, queue, task, since } = params;
  const subject = deadSubject(inner, queue, task);
  let place: { from: number; since?: number } = { from: 1, since: Math.max(0, since - SKEW_MS) };
  for (let pages = 0; pages < PAGES; pages++) {
    const page = await readPage(inner, { stream: 'DEAD', subject, batch: BATCH, ...place });
    const found = page.messages.find(({ headers }) =>
      headers.get(HEADERS.messageId)?.startsWith(`dead.${id}.`),
    );
    if (found) return readDead(bus, found);
    if (page.next === undefined) return undefined;
    place = { from: page.next };
  }
  return undefined;
}

/** One message of DEAD, read at the leader; undefined when it is not there. Throws JetStreamCallError. */
export async function deadMessage(bus: Bus, seq: number): Promise<DeadMessage | undefined> {
  const inner = inside(bus);
  return manage(inner, 'reading a dead letter', async (jsm) => {
    try {
      const found = await jsm.streams.getMessage(streamName(inner, 'DEAD'), { seq });
      if (!found) return undefined;
      const headers = new Map<string, string>();
      for (const [name, values] of found.header ?? []) headers.set(name, values[0] ?? '');
      const { subject, data } = found;
      return readDead(bus, { seq, subject, data, headers, storedAt: found.time.getTime() });
    } catch (error) {
      if (isApiError(error, API.noMessage)) return undefined;
      throw error;
    }
  });
}

/** Deletes one message of DEAD. Returns whether it was there. Throws JetStreamCallError. */
export async function deleteDeadMessage(bus: Bus, seq: number): Promise<boolean> {
  const inner = inside(bus);
  return manage(inner, 'deleting a dead letter', async (jsm) => {
    try {
      return await jsm.streams.deleteMessage(streamName(inner, 'DEAD'), seq);
    } catch (error) {
      if (isApiError(error, API.noMessage, API.sequenceNotFound)) return false;
      // As for a job's message, the general code with this text.
      if (isApiError(error, API.deleteFailed) && /no message found/.test(error.message)) return false;
      throw error;
    }
  });
}

function readDead(bus: Bus, message: PageMessage): DeadMessage {
  const { seq, storedAt, subject, data, headers } = message;
  const parsed = parseSubject(inside(bus), subject);
  const { queue, task } = parsed?.kind === 'dead' ? parsed : { queue: '', task: '' };
  const facts = readFacts(headers.get(HEADERS.dead));
  const code = headers.get(HEADERS.deadReason) ?? 'unknown';
  const envelope = readEnvelope(data);
  const { subject: from, seq: fromSeq } = facts;
  return {
    seq,
    storedAt,
    queue,
    task,
    data,
    headers,
    reason: { code: facts.reason?.code ?? code, text: facts.reason?.text ?? '' },
    truncated: facts.truncated === true,
    ...(typeof from === 'string' && typeof fromSeq === 'number'
      ? { from: { subject: from, seq: fromSeq } }
      : {}),
    ...(envelope ? { envelope } : {}),
  };
}

interface Facts {
  readonly reason?: Partial<Reason>;
  readonly subject?: unknown;
  readonly seq?: unknown;
  readonly truncated?: unknown;
}

function readFacts(text: string | undefined): Facts {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function readEnvelope(data: Uint8Array): JobEnvelope | undefined {
  try {
    return decodeEnvelope(data);
  } catch {
    return undefined;
  }
}
