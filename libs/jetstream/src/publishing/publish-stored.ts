import type { BusConnection } from '../connection/bus.ts';
import {
  BusClosedError,
  PublishRefusedError,
  PublishUnconfirmedError,
  StorageFullError,
} from '../connection/errors.ts';
import { API } from '../connection/manage.ts';
import { pause } from '../connection/pause.ts';
import type { Reply } from '../connection/replies.ts';
import { HEADERS, type Header, sizeOf, toClientHeaders } from '../streams/headers.ts';
import { tooLarge } from './job-message.ts';

/** One message to be stored. */
export interface ToStore {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: readonly Header[];
  /** How long it is tried, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether a repeat that the server might not recognise says so (`Jetbeat-Repeat`). */
  readonly marksRepeat?: boolean;
  /** Ends the trying early, as if the time were over. */
  readonly signal?: AbortSignal;
}

/** Where it was stored. */
export interface Stored {
  /** Stream sequence; of the first one when it is a duplicate. */
  readonly seq: number;
  readonly duplicate: boolean;
}

interface Ack {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

/** A message whose first try somebody else has made, or whose earlier tries may have been carried out. */
export interface Begun {
  /** What that try was answered. */
  readonly reply?: Reply;
  /** A try before that may have been carried out. */
  readonly uncertain?: boolean;
}

/** Bound of one try, in milliseconds. */
export const TRY_MS = 2_000;
const RETRY_MS = 150;
/** A repeated try with less time than this would only make uncertain what is certain. */
const LEAST_MS = 100;
const STORE_FULL = new Set<number>([
  API.insufficientResources,
  API.memoryExceeded,
  API.storageExceeded,
  API.storeFailed,
]);
/** The message before is another one than the publisher has seen. */
const WRONG_SEQUENCE = new Set<number>([10071, 10164]);
const REPEAT: Header = [HEADERS.repeat, '1'];
const decoder = new TextDecoder();

/**
 * Publishes a message and waits until JetStream has it; tries again with the same headers, so that its message id shows
 * a repeat to the server. A server that was killed in between has forgotten the ids of messages that are done; therefore
 * a try after a broken connection is marked.
 * @throws PublishRefusedError when it is definitely not stored, PublishUnconfirmedError when it may be, BusClosedError
 */
export async function publishStored(
  bus: BusConnection,
  message: ToStore,
  begun: Begun = {},
): Promise<Stored> {
  const headerBytes = sizeOf([...message.headers, REPEAT]);
  const trying: Trying = {
    end: performance.now() + message.timeoutMs,
    uncertain: begun.uncertain ?? false,
    marked: false,
    last: 'away',
  };
  let reply = begun.reply;
  while (reply || isWorthTrying(bus, message, trying)) {
    if (!reply) {
      if (!(await bus.whenConnected(trying.end - performance.now()))) continue;
      const bytes = message.data.length;
      if (bytes + headerBytes > bus.maxPayload) throw tooLarge(bus, bytes, headerBytes);
      reply = await send(bus, message, trying);
    }
    note(reply, message, trying);
    const stored = reply.kind === 'message' ? readAck(reply.data) : undefined;
    if (stored) return stored;
    if (reply.kind !== 'timeout') {
      await pause(Math.min(RETRY_MS, Math.max(0, trying.end - performance.now())), bus.closing.signal);
    }
    reply = undefined;
  }
  throw failure(bus, message, trying);
}

function isWorthTrying(bus: BusConnection, message: ToStore, { end, last }: Trying): boolean {
  if (message.signal?.aborted || bus.closing.signal.aborted) return false;
  return end - performance.now() > (last === 'away' ? 0 : LEAST_MS);
}

interface Trying {
  readonly end: number;
  /** A try may have been carried out. */
  uncertain: boolean;
  /** Further tries carry `Jetbeat-Repeat`. */
  marked: boolean;
  last: Reply['kind'] | 'away';
}

function send(bus: BusConnection, message: ToStore, trying: Trying): Promise<Reply> {
  const { subject, data } = message;
  const headers = toClientHeaders(trying.marked ? [...message.headers, REPEAT] : message.headers);
  const timeoutMs = Math.min(TRY_MS, trying.end - performance.now());
  return bus.replies.send({ subject, data, headers, timeoutMs });
}

function note(reply: Reply, message: ToStore, trying: Trying): void {
  trying.last = reply.kind;
  if (reply.kind !== 'message' && reply.kind !== 'nobody') trying.uncertain = true;
  if (reply.kind === 'lost' && message.marksRepeat) trying.marked = true;
}

function failure(bus: BusConnection, message: ToStore, trying: Trying): Error {
  const { subject } = message;
  if (trying.uncertain) {
    const why = bus.closing.signal.aborted
      ? 'the connection was closed'
      : `no answer within ${message.timeoutMs} ms`;
    return new PublishUnconfirmedError(`${subject} may or may not be stored: ${why}`);
  }
  if (bus.closing.signal.aborted) return new BusClosedError();
  if (trying.last === 'away') {
    return new PublishRefusedError('not_connected', 'not stored: there is no connection to NATS');
  }
  const text = `not stored: no stream takes ${subject}; JetStream is not ready or its streams are missing`;
  return new PublishRefusedError('no_stream', text);
}

/** Whether JetStream has it; `undefined` when it is not ready, and asking again may help. */
function readAck(data: Uint8Array): Stored | undefined {
  const ack = JSON.parse(decoder.decode(data)) as Ack;
  const { error } = ack;
  if (!error) return { seq: ack.seq ?? 0, duplicate: ack.duplicate ?? false };
  const code = error.err_code ?? 0;
  const text = `${error.description ?? 'no reason given'} (error ${code})`;
  if (STORE_FULL.has(code)) throw new StorageFullError(`not stored: JetStream has no room left: ${text}`);
  if (WRONG_SEQUENCE.has(code)) throw new PublishRefusedError('wrong_sequence', `not stored: ${text}`);
  if (code === API.messageTooLarge) throw new PublishRefusedError('payload_too_large', `not stored: ${text}`);
  // A replicated stream has an earlier try in hand, and cannot say yet where it will be.
  if (error.code === 503 || code === API.duplicateInProcess) return undefined;
  throw new PublishRefusedError('publish_refused', `not stored: JetStream refuses it: ${text}`);
}
