import { createHash } from 'node:crypto';
import { type KeyNote, readKeyNote, type UniqueRef, uniqueName } from '@jetbeat/core';
import type { BusConnection } from '../connection/bus.ts';
import { PublishRefusedError } from '../connection/errors.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { publishStored } from '../publishing/publish-stored.ts';
import { HEADERS } from '../streams/headers.ts';
import { bucketName } from '../streams/names.ts';
import { deleteMessage } from '../waiting/find-message.ts';

/** Where a key's note is: `$KV.unique.<hash>`. */
export type KeySubject = string;

/** A note as it is stored. A later write of the same key has another revision, and there is never more than one. */
export interface StoredNote {
  /** Stream sequence; 0: there is none. */
  readonly revision: number;
  /** Undefined where there is none, or what this version does not write. */
  readonly note: KeyNote | undefined;
}

const TIMEOUT_MS = 5_000;
const NOTHING: StoredNote = { revision: 0, note: undefined };
const decoder = new TextDecoder();

/** The stream of the bucket. */
export function uniqueStream(bus: BusConnection): string {
  return `KV_${bucketName(bus, 'unique')}`;
}

/** Where the note of a job's key is. A key is a text of anybody's, so its hash stands for it. */
export function keySubject(
  bus: BusConnection,
  unique: UniqueRef,
  job: { readonly task: string; readonly queue: string },
): KeySubject {
  const hash = createHash('sha256').update(uniqueName(unique, job)).digest('base64url');
  return `$KV.${bucketName(bus, 'unique')}.${hash}`;
}

/**
 * Reads a note at the leader: a lagging replica would show an older one.
 * @throws JetStreamCallError, BusClosedError, JetStreamApiError of the client when the topology is missing
 */
export async function readNote(bus: BusConnection, subject: KeySubject): Promise<StoredNote> {
  const answer = await askAtOnce(bus, 'GET', { last_by_subj: subject });
  const { message, error } = answer ?? {};
  if (error?.err_code === API.noMessage) return NOTHING;
  if (message) return { revision: message.seq, note: readKeyNote(textOf(message.data)) };
  return manage(bus, 'reading a unique key', async (jsm) => {
    try {
      const found = await jsm.streams.getMessage(uniqueStream(bus), { last_by_subj: subject });
      if (!found) return NOTHING;
      return { revision: found.seq, note: readKeyNote(decoder.decode(found.data)) };
    } catch (error) {
      if (isApiError(error, API.noMessage)) return NOTHING;
      throw error;
    }
  });
}

/**
 * Writes a note in the place of the revision that was seen.
 * @returns its revision; undefined when somebody else was faster, which may also have been an earlier try of this very write
 * @throws PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function writeNote(
  bus: BusConnection,
  subject: KeySubject,
  note: KeyNote,
  revision: number,
): Promise<number | undefined> {
  try {
    const { seq } = await publishStored(bus, {
      subject,
      data: Buffer.from(JSON.stringify(note)),
      headers: [[HEADERS.expectedRevision, String(revision)]],
      timeoutMs: TIMEOUT_MS,
    });
    return seq;
  } catch (error) {
    if (error instanceof PublishRefusedError && error.code === 'wrong_sequence') return undefined;
    throw error;
  }
}

/**
 * Removes the note of this revision and no other; nothing of it stays behind.
 * @returns whether it was there
 * @throws JetStreamCallError, BusClosedError
 */
export async function removeNote(bus: BusConnection, revision: number): Promise<boolean> {
  if (revision === 0) return false;
  const answer = await askAtOnce(bus, 'DELETE', { seq: revision, no_erase: true });
  return answer?.success === true || deleteMessage(bus, uniqueStream(bus), revision);
}

/** What the server answers to either. */
interface Answer {
  readonly message?: { readonly seq: number; readonly data?: string };
  readonly success?: boolean;
  readonly error?: { readonly err_code?: number };
}

/** Without the client's request, which makes two errors and a timer of each. Undefined: no answer that can be read. */
async function askAtOnce(
  bus: BusConnection,
  call: 'GET' | 'DELETE',
  body: object,
): Promise<Answer | undefined> {
  if (!bus.connected) return undefined;
  const reply = await bus.replies.send({
    subject: `$JS.API.STREAM.MSG.${call}.${uniqueStream(bus)}`,
    data: Buffer.from(JSON.stringify(body)),
    timeoutMs: bus.callTimeoutMs,
  });
  return reply.kind === 'message' ? (JSON.parse(decoder.decode(reply.data)) as Answer) : undefined;
}

function textOf(data = ''): string {
  return Buffer.from(data, 'base64').toString();
}
