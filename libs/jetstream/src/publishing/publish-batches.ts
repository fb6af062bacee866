import type { BusConnection } from '../connection/bus.ts';
import { jobMessage } from './job-message.ts';
import type { JobToPublish, PublishResult } from './job-to-publish.ts';
import { Pipeline, refusal } from './pipeline.ts';
import { type BatchMessage, storeBatch } from './store-batch.ts';

/** The server's bound of a batch (NATS ADR-50). */
const MAX_JOBS = 1_000;
const MAX_BYTES = 524_288;
/** What the headers of a batch add to each message, about. */
const BATCH_HEADERS = 80;
/** A batch costs the servers as much as so many messages: fewer go one by one. */
export const LEAST_JOBS = 50;

/**
 * Publishes jobs in atomic batches of up to 1,000 jobs or 512 KiB, a few at a time. Where a batch is refused, because one of
 * its jobs is known already or for whatever reason, or is not answered, its jobs are published one by one: each gets the
 * answer that it would have had alone, and none fails for its neighbours.
 * @returns a result per job, in the same order. Never rejects.
 */
export async function publishBatches(
  bus: BusConnection,
  items: readonly JobToPublish[],
  timeoutMs: number,
): Promise<PublishResult[]> {
  const results = new Array<PublishResult>(items.length);
  const open: Promise<void>[] = [];
  let away = false;
  for (const group of groups(bus, items, results)) {
    const place = bus.batches.take();
    if (place !== undefined) await place;
    // With the server gone for the whole bound of one, the rest need not wait as long, one after the other.
    const bound = away && !bus.connected ? 0 : timeoutMs;
    const publishing = publishGroup(bus, group, { timeoutMs: bound, results }).finally(() => {
      away = isAway(results[group[0]?.index ?? -1]);
      bus.batches.give();
    });
    open.push(publishing);
  }
  await Promise.all(open);
  return results;
}

/** A job of a batch. */
interface Member {
  readonly item: JobToPublish;
  /** Place in what was given. */
  readonly index: number;
  readonly message: BatchMessage;
}

async function publishGroup(
  bus: BusConnection,
  group: readonly Member[],
  { timeoutMs, results }: { readonly timeoutMs: number; readonly results: PublishResult[] },
): Promise<void> {
  const end = performance.now() + timeoutMs;
  const messages = group.map(({ message }) => message);
  const stored = group.length < LEAST_JOBS ? undefined : await storeBatch(bus, messages, timeoutMs);
  if (stored && 'seq' in stored) {
    // The messages of a batch are stored one after the other, with nothing in between.
    const first = stored.seq - group.length + 1;
    for (const [place, { item, index }] of group.entries()) {
      results[index] = { ok: true, seq: first + place, duplicate: false, delayed: item.at !== undefined };
    }
    return;
  }
  const again = group.map(({ item }) => (stored?.lost ? { ...item, repeat: true } : item));
  const uncertain = stored?.uncertain ?? false;
  const answers = await bus.part(Pipeline).publish(again, { timeoutMs: end - performance.now(), uncertain });
  for (const [place, { index }] of group.entries()) {
    const answer = answers[place];
    if (answer) results[index] = answer;
  }
}

/** Encodes the jobs as they are sent; those that can be no message get their results here. */
function* groups(
  bus: BusConnection,
  items: readonly JobToPublish[],
  results: PublishResult[],
): Generator<Member[]> {
  let group: Member[] = [];
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    const message = encoded(bus, item);
    if ('error' in message) {
      results[index] = message;
      continue;
    }
    const size = message.data.length + message.headers.encode().length + BATCH_HEADERS;
    if (group.length === MAX_JOBS || (group.length > 0 && bytes + size > MAX_BYTES)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push({ item, index, message });
    bytes += size;
  }
  if (group.length > 0) yield group;
}

function isAway(result: PublishResult | undefined): boolean {
  return result?.ok === false && result.error.code === 'not_connected';
}

function encoded(bus: BusConnection, item: JobToPublish): BatchMessage | (PublishResult & { ok: false }) {
  try {
    return jobMessage(bus, item);
  } catch (error) {
    return refusal(error);
  }
}
