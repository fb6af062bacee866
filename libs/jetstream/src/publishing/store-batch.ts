import { randomBytes } from 'node:crypto';
import type { BusConnection } from '../connection/bus.ts';
import { API } from '../connection/manage.ts';
import { pause } from '../connection/pause.ts';
import type { Reply } from '../connection/replies.ts';
import { HEADERS } from '../streams/headers.ts';
import { BatchUse } from './batch-use.ts';
import type { JobMessage } from './job-message.ts';
import { TRY_MS } from './publish-stored.ts';

/** A message that may be one of a batch. */
export type BatchMessage = JobMessage;

/** What became of a batch: `seq` is that of its last message; without it nothing is known to be stored. */
export type BatchEnd =
  | { readonly seq: number }
  | {
      /** It may be stored all the same. */
      readonly uncertain: boolean;
      /** The connection broke meanwhile: a server that was killed has forgotten the ids of jobs that are done. */
      readonly lost: boolean;
    };

interface Ack {
  readonly seq?: number;
  readonly count?: number;
  readonly error?: { readonly err_code?: number };
}

/** What is waited, with jitter, while the stream has as many open batches as it takes (50). Milliseconds. */
const BUSY_MS = 20;
/** So often it is tried then; one by one the jobs come through in any case. */
const BUSY_TRIES = 5;
const decoder = new TextDecoder();

/**
 * Stores messages as an atomic batch (NATS ADR-50): all of them, or none. The client's own batches are not used: they hide
 * the code of an error. Whatever is no clear success is left to the caller, who publishes the messages one by one.
 * @param messages 2 to 1,000
 */
export async function storeBatch(
  bus: BusConnection,
  messages: readonly BatchMessage[],
  timeoutMs: number,
): Promise<BatchEnd> {
  const end = performance.now() + timeoutMs;
  for (let tries = 1; ; tries++) {
    if (!(await bus.whenConnected(end - performance.now()))) return { uncertain: false, lost: false };
    const [first, last] = await send(bus, messages, Math.min(TRY_MS, end - performance.now()));
    const ack = read(last);
    if (ack?.count === messages.length && ack.seq) return { seq: ack.seq };
    // The reason is in the first refusal: what comes after it lacks its beginning.
    const code = read(first)?.error?.err_code ?? ack?.error?.err_code;
    if (code === API.batchesOff) bus.part(BatchUse).forget();
    const isBusy = code === API.tooManyBatches && tries < BUSY_TRIES && performance.now() < end;
    if (!isBusy) {
      return { uncertain: last.kind !== 'message' && last.kind !== 'nobody', lost: last.kind === 'lost' };
    }
    await pause((0.5 + Math.random()) * BUSY_MS * tries, bus.closing.signal);
  }
}

/** Sends all at once; the first and the last want an answer. A batch that is tried again is another one. */
function send(
  bus: BusConnection,
  messages: readonly BatchMessage[],
  timeoutMs: number,
): Promise<[Reply, Reply]> {
  const id = randomBytes(9).toString('base64url');
  const final = messages.length - 1;
  let first: Promise<Reply> | undefined;
  let last: Promise<Reply> | undefined;
  for (const [index, { subject, data, headers }] of messages.entries()) {
    const more = `${HEADERS.batchId}: ${id}\r\n${HEADERS.batchSequence}: ${index + 1}\r\n`;
    const commit = index === final ? `${HEADERS.batchCommit}: 1\r\n` : '';
    const request = { subject, data, headers: headers.with(more + commit).forClient, timeoutMs };
    if (index === 0) first = bus.replies.send(request);
    else if (index === final) last = bus.replies.send(request);
    else bus.replies.tell(request);
  }
  if (!first || !last) throw new TypeError('a batch has two messages at least');
  return Promise.all([first, last]);
}

/** The answer to a message that only opens or continues a batch is empty. */
function read(reply: Reply): Ack | undefined {
  if (reply.kind !== 'message' || reply.data.length === 0) return undefined;
  return JSON.parse(decoder.decode(reply.data)) as Ack;
}
