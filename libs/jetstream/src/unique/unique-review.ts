import { type KeyNote, type KeyReview, readKeyNote } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { keySubject, readNote, removeNote, uniqueStream, writeNote } from './unique-bucket.ts';

/** One note of a page. */
export interface ListedNote {
  readonly subject: string;
  readonly revision: number;
  /** When it was written, Unix milliseconds. */
  readonly time: number;
  readonly note: KeyNote;
}

/** Some of the notes, in the order of their last writes. */
export interface NotePage {
  readonly notes: readonly ListedNote[];
  /** Sequence at which to read on; absent at the end. */
  readonly next?: number;
}

const MAX_BYTES = 1024 ** 2;
const decoder = new TextDecoder();

/**
 * Reads notes from a sequence on, a page at a time. Any replica may answer, so a note may have been changed already: whatever
 * is done about it names its revision.
 * @throws JetStreamCallError when no whole page came in time
 */
export async function listNotes(
  bus: Bus,
  params: { readonly from: number; readonly limit: number },
): Promise<NotePage> {
  const inner = inside(bus);
  const stream = uniqueStream(inner);
  const { from: seq, limit: batch } = params;
  const request = JSON.stringify({
    seq,
    next_by_subj: `$KV.${stream.slice(3)}.>`,
    batch,
    max_bytes: MAX_BYTES,
  });
  const notes: ListedNote[] = [];
  let last = 0;
  try {
    const how = { strategy: 'sentinel', maxWait: inner.callTimeoutMs } as const;
    const subject = `$JS.API.DIRECT.GET.${stream}`;
    for await (const { headers, data } of await inner.nc.requestMany(subject, request, how)) {
      // The end has a status: 204, or 404 where there was nothing at all (NATS ADR-31).
      if (headers?.code === 204 || headers?.code === 404) {
        const left = Number(headers.get('Nats-Num-Pending') || 0);
        return left > 0 && last > 0 ? { notes, next: last + 1 } : { notes };
      }
      if (!headers?.has('Nats-Sequence')) continue;
      last = Number(headers.get('Nats-Sequence'));
      const note = readKeyNote(decoder.decode(data));
      const time = Date.parse(headers.get('Nats-Time-Stamp'));
      if (note) notes.push({ subject: headers.get('Nats-Subject'), revision: last, time, note });
    }
  } catch (cause) {
    throw new JetStreamCallError('reading the unique keys failed', { cause });
  }
  throw new JetStreamCallError('reading the unique keys: no answer in time');
}

/**
 * Does what a review came to, if the note is still the one that was reviewed.
 * @returns whether it was
 * @throws PublishRefusedError, PublishUnconfirmedError, JetStreamCallError, BusClosedError
 */
export async function applyReview(
  bus: Bus,
  { subject, revision }: Pick<ListedNote, 'subject' | 'revision'>,
  review: Exclude<KeyReview, { do: 'keep' }>,
): Promise<boolean> {
  const inner = inside(bus);
  if (review.do === 'remove') return removeNote(inner, revision);
  return (await writeNote(inner, subject, review.note, revision)) !== undefined;
}

/**
 * The note of a job's key as it is now; `revision` is 0 where there is none.
 * @throws JetStreamCallError, BusClosedError
 */
export async function noteOf(
  bus: Bus,
  job: { readonly unique: KeyRef; readonly task: string; readonly queue: string },
): Promise<{ readonly subject: string; readonly revision: number; readonly note: KeyNote | undefined }> {
  const inner = inside(bus);
  const subject = keySubject(inner, job.unique, job);
  return { subject, ...(await readNote(inner, subject)) };
}

type KeyRef = Parameters<typeof keySubject>[1];
