import { checkName, decodeSemaphore, FREE_SEMAPHORE, isFree, type Semaphore } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import type { Log } from '../connection/log.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { pause } from '../connection/pause.ts';
import { HEADERS, type Header, toClientHeaders } from '../streams/headers.ts';
import { bucketName } from '../streams/names.ts';

/** A semaphore as it is stored; the sequence is 0 where nothing is. */
export interface StoredSemaphore {
  readonly semaphore: Semaphore;
  readonly seq: number;
}

/** What is to become of the slots: without `next` they stay as they are. */
export interface Decided<T> {
  readonly next?: Semaphore | undefined;
  readonly value: T;
  /** To leave them as they are is right although they may have changed meanwhile: who has changed them has seen to it. */
  readonly sure?: boolean;
}

/** What became of a change. `value` is what `decide` has made of the state that was changed, or left. */
export interface Changed<T> {
  readonly value: T;
  readonly stored: StoredSemaphore;
}

const NOTHING: StoredSemaphore = { semaphore: FREE_SEMAPHORE, seq: 0 };
/** Writers of one semaphore that are faster each time; more of them than that is a fault. */
const MAX_TRIES = 100;
const MAX_PAUSE_MS = 40;
const decoder = new TextDecoder();

/** Where the slots of a concurrency key are kept; `hash`: see `concurrencyHash`. */
export function keySlots(hash: string): string {
  return `key.${hash}`;
}

/** Where the slots of a queue are kept. */
export function queueSlots(queue: string): string {
  return `queue.${checkName('queue', queue)}`;
}

/** Where a rate is kept for which jobs are parked; `hash`: see `JobRate`. */
export function rateState(hash: string): string {
  return `rate.${hash}`;
}

/** Reads the slots of a key or a queue (`keySlots`, `queueSlots`), at the leader. Throws JetStreamCallError, BusClosedError. */
export async function readSemaphore(bus: Bus, name: string): Promise<StoredSemaphore> {
  const inner = inside(bus);
  return manage(inner, 'reading the slots', async (jsm) => {
    try {
      const found = await jsm.streams.getMessage(streamOf(inner), { last_by_subj: subjectOf(inner, name) });
      return found && !found.header?.get('KV-Operation')
        ? { semaphore: read(inner.log, name, found.data), seq: found.seq }
        : { ...NOTHING, seq: found?.seq ?? 0 };
    } catch (error) {
      if (isApiError(error, API.noMessage)) return NOTHING;
      throw error;
    }
  });
}

/**
 * Changes the slots by compare-and-set: reads, decides, writes, and again when somebody else was faster. A write
 * whose answer was lost may have been carried out, so `decide` has to come to the same when it finds its own.
 * @param params.known what they were a moment ago, to save the reading; it is relied on only by who is `sure`
 * @param params.keepMs after how long the server may forget what is written, at least a second
 * @param params.decide leaves them as they are by answering without `next`
 * @throws JetStreamCallError, BusClosedError
 */
export async function changeSemaphore<T>(
  bus: Bus,
  params: {
    readonly name: string;
    readonly known?: StoredSemaphore | undefined;
    readonly keepMs?: ((next: Semaphore) => number) | undefined;
    readonly decide: (now: Semaphore) => Decided<T> | Promise<Decided<T>>;
  },
): Promise<Changed<T>> {
  const { name, decide } = params;
  let known = params.known;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const stored = known ?? (await readSemaphore(bus, name));
    const { next, value, sure } = await decide(stored.semaphore);
    if (next === undefined || next === stored.semaphore) {
      if (known === undefined || sure) return { value, stored };
      known = undefined;
      continue;
    }
    const keepMs = params.keepMs?.(next);
    const seq = await writeSemaphore(bus, { name, semaphore: next, seq: stored.seq, keepMs });
    if (seq !== undefined) return { value, stored: { semaphore: isFree(next) ? FREE_SEMAPHORE : next, seq } };
    if (known === undefined) await pause(Math.random() * Math.min(MAX_PAUSE_MS, 2 ** tries));
    known = undefined;
  }
  throw new JetStreamCallError(`the slots changed ${MAX_TRIES} times while they were to be changed`);
}

/** What is to be written, and for how long it is to be kept. */
interface Wanted extends StoredSemaphore {
  readonly name: string;
  readonly keepMs: number | undefined;
}

/**
 * Writes the slots if they are still those of `seq`; nothing is kept of those that nobody has or wants. Returns the new sequence, or
 * undefined when somebody was faster.
 * @throws JetStreamCallError, BusClosedError: it may have been written
 */
async function writeSemaphore(bus: Bus, wanted: Wanted): Promise<number | undefined> {
  const inner = inside(bus);
  const { name, semaphore, seq } = wanted;
  if (!isFree(semaphore)) return put(inner, wanted);
  if (seq === 0) return 0;
  // Up to this sequence: whatever somebody else has written since is above it, and stays.
  const body = { filter: subjectOf(inner, name), seq: seq + 1 };
  const answer = await call(inner, `$JS.API.STREAM.PURGE.${streamOf(inner)}`, JSON.stringify(body));
  return answer.error || !answer.purged ? undefined : 0;
}

async function put(bus: BusConnection, { name, semaphore, seq, keepMs }: Wanted) {
  const list: Header[] = [[HEADERS.expectedRevision, String(seq)]];
  if (keepMs !== undefined) list.push([HEADERS.ttl, `${Math.ceil(keepMs / 1_000)}s`]);
  const answer = await call(bus, subjectOf(bus, name), JSON.stringify(semaphore), list);
  // A refusal says sequence 0.
  return answer.error ? undefined : answer.seq;
}

interface Answer {
  readonly seq?: number;
  readonly purged?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** One request without a repeat; its only error is that the state was another one. */
async function call(
  bus: BusConnection,
  subject: string,
  text: string,
  list: readonly Header[] = [],
): Promise<Answer> {
  const fails = (why: string) => new JetStreamCallError(`changing the slots: ${why}`);
  if (!(await bus.whenConnected(bus.callTimeoutMs))) throw fails('there is no connection to NATS');
  const headers = list.length === 0 ? {} : { headers: toClientHeaders(list) };
  const data = Buffer.from(text);
  const reply = await bus.replies.send({ subject, data, ...headers, timeoutMs: bus.callTimeoutMs });
  if (reply.kind !== 'message') throw fails(`no answer from JetStream (${reply.kind})`);
  const answer = JSON.parse(decoder.decode(reply.data)) as Answer;
  const code = answer.error?.err_code ?? 0;
  if (answer.error && code !== API.wrongLastSequence && code !== API.wrongLastSequenceUnknown) {
    throw fails(`${answer.error.description ?? 'no reason given'} (error ${code})`);
  }
  return answer;
}

/** What nobody can read holds nothing: else nobody could ever run a job of this key. */
function read(log: Log, name: string, data: Uint8Array): Semaphore {
  const semaphore = decodeSemaphore(decoder.decode(data));
  if (!semaphore) log.warn({ name }, 'the slots cannot be read, and count as free');
  return semaphore ?? FREE_SEMAPHORE;
}

function streamOf(bus: BusConnection): string {
  return `KV_${bucketName(bus, 'slots')}`;
}

function subjectOf(bus: BusConnection, name: string): string {
  return `$KV.${bucketName(bus, 'slots')}.${name}`;
}
