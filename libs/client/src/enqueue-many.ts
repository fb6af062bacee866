import { InvalidInputError, JetbeatError, type TaskRef, type UniqueMode } from '@jetbeat/core';
import { EnqueueError, EnqueueManyError, type ItemFailure } from './errors.ts';
import { keepJobs } from './kept-jobs.ts';
import { type EnqueueOptions, type Prepared, prepare } from './prepare.ts';
import { type Published, publish, type Way } from './publish.ts';
import type { SentJob } from './result.ts';
import { traceSendMany } from './trace-send.ts';

/** An item with options of its own. What has just these two fields is always read as such a one. */
export interface ItemWithOptions<Input> {
  readonly input: Input;
  readonly options: EnqueueOptions;
}

/** Jobs that are read, and of which history is not told yet: so many such groups are on their way at once. */
const GROUP = 1_000;
const GROUPS = 2;
/** History may lag behind by this much before more is read, in milliseconds. */
const TELL_MS = 5_000;

/** A bulk load may well fill the store: it waits for the workers to make room, so long, in milliseconds. */
const ROOM_MS = 30_000;

/** Nothing is wrong with the job itself. */
const HOPELESS: ReadonlySet<string> = new Set([
  'not_connected',
  'publish_unconfirmed',
  'storage_full',
  'no_stream',
  'nats_closed',
]);

/** What `enqueueMany` knows so far. */
interface Tally {
  readonly jobs: (SentJob | undefined)[];
  readonly failures: ItemFailure[];
  /** Nothing of a whole group could be stored: to go on would only collect failures. */
  stuck: boolean;
}

/**
 * Enqueues a job per item. It reads no more than is on its way, so the items may come from an endless source.
 * @throws EnqueueManyError when some items did not become jobs, with those that did
 */
export async function enqueueMany(
  way: Way,
  task: TaskRef | string,
  items: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<SentJob[]> {
  const tally: Tally = { jobs: [], failures: [], stuck: false };
  const running = new Set<Promise<void>>();
  let broken: { readonly cause: unknown } | undefined;
  try {
    for await (const group of groups(items)) {
      const first = tally.jobs.length;
      tally.jobs.length += group.length;
      const work = enqueueGroup(way, task, group, first, tally).finally(() => running.delete(work));
      running.add(work);
      if (running.size >= GROUPS) await Promise.race(running);
      if (tally.stuck) break;
    }
  } catch (cause) {
    broken = { cause };
  }
  await Promise.all(running);
  const { jobs, failures } = tally;
  failures.sort((a, b) => a.index - b.index);
  if (broken || failures.length > 0) {
    throw new EnqueueManyError({ jobs, failures, complete: !tally.stuck && !broken, ...broken });
  }
  return jobs.filter((job) => job !== undefined);
}

async function enqueueGroup(
  way: Way,
  task: TaskRef | string,
  group: readonly unknown[],
  first: number,
  tally: Tally,
): Promise<void> {
  const settings = way.settings.now;
  const ready: Prepared[] = [];
  const places: number[] = [];
  for (let index = first; index < first + group.length; index++) {
    const item = group[index - first];
    try {
      const prepared = isPair(item)
        ? prepare(settings, task, item.input, item.options)
        : prepare(settings, task, item);
      ready.push(withoutKey(prepared instanceof Promise ? await prepared : prepared));
      places.push(index);
    } catch (error) {
      tally.failures.push({ index, error: asJetbeatError(error) });
    }
  }
  const sending = traceSendMany(typeof task === 'string' ? task : task.name, ready);
  const published = await publish(way, sending.prepared, ROOM_MS);
  sending.end(published.find(({ error }) => error)?.error);
  const kept = keepJobs(
    typeof task === 'string' ? task : task.name,
    ready.map(({ job }) => job),
    way.bus,
  );
  for (let place = 0; place < places.length; place++)
    note(tally, places[place] ?? 0, kept[place], published[place]);
  if (published.length > 0 && published.every(({ error }) => isHopeless(error))) tally.stuck = true;
  // Most of a group share one promise.
  await within(TELL_MS, new Set(published.map((each) => each.job && each.told)));
}

function note(
  tally: Tally,
  index: number,
  kept: SentJob | undefined,
  published: Published | undefined,
): void {
  if (published?.job) tally.jobs[index] = kept;
  else if (published) tally.failures.push({ index, error: published.error });
}

/** Whether the next one would fail alike. */
function isHopeless(error: JetbeatError | undefined): boolean {
  return error instanceof EnqueueError && HOPELESS.has(error.code);
}

const FIELDS: Readonly<Partial<Record<UniqueMode, string>>> = {
  throttle: 'throttle',
  debounce: 'debounce',
  last: 'keepLast',
};

/**
 * A key is asked for one call at a time, with an answer of its own.
 * @throws InvalidInputError for an item that has one
 */
function withoutKey(prepared: Prepared): Prepared {
  const { unique } = prepared;
  if (!unique) return prepared;
  const field = FIELDS[unique.mode] ?? 'uniqueKey';
  const message = `enqueueMany takes no ${field}: enqueue such a job by a call of its own`;
  throw new InvalidInputError(message, [{ pointer: `/options/${field}`, code: 'invalid_value', message }]);
}

/** Whether an item has options of its own: just these two fields. */
function isPair(item: unknown): item is ItemWithOptions<unknown> {
  if (typeof item !== 'object' || item === null || !('input' in item && 'options' in item)) return false;
  return Object.keys(item).length === 2;
}

function asJetbeatError(error: unknown): JetbeatError {
  if (error instanceof JetbeatError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new JetbeatError('check_failed', `the input could not be checked: ${why}`, { cause: error });
}

function groups(
  items: Iterable<unknown> | AsyncIterable<unknown>,
): Iterable<unknown[]> | AsyncIterable<unknown[]> {
  return Symbol.asyncIterator in items ? groupsLater(items) : groupsNow(items);
}

/** Without the promise per item that `for await` makes. */
function* groupsNow(items: Iterable<unknown>): Generator<unknown[]> {
  const group: unknown[] = [];
  try {
    for (const item of items) if (group.push(item) === GROUP) yield group.splice(0);
  } finally {
    // Also when the source fails: what was read is not lost.
    if (group.length > 0) yield group;
  }
}

async function* groupsLater(items: AsyncIterable<unknown>): AsyncGenerator<unknown[]> {
  const group: unknown[] = [];
  try {
    for await (const item of items) if (group.push(item) === GROUP) yield group.splice(0);
  } finally {
    if (group.length > 0) yield group;
  }
}

async function within(timeoutMs: number, told: Iterable<Promise<void> | undefined>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([promise, Promise.all(told)]);
  clearTimeout(timer);
}
