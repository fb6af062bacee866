import type { JobStreamEvent, LiveEvent, LiveQuery } from '@jetbeat/core/http';
import type { HttpOptions } from './call.ts';
import { readEventStream } from './event-stream.ts';
import { ApiProblemError, ApiUnreachableError } from './problem-error.ts';

/** An event, and the id by which one goes on after it. */
export interface Followed<Data> {
  readonly id: string;
  /** `job.succeeded` and so on, `gap`, or `job` with the job itself. */
  readonly type: string;
  readonly data: Data;
}

/** How to follow. */
export interface FollowOptions {
  /** The id of the last event that was seen, to go on from there. */
  readonly after?: string;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Called whenever a connection is there: what happens from now on is told. So look up what you show after this, not before. */
  readonly onOpen?: () => void;
}

/**
 * What happens, as it happens. A connection that breaks is made again, and goes on where it was. Each throws ApiProblemError for
 * what the API refuses for good, as a key that was revoked; leaving the loop closes the connection.
 */
export interface Events {
  /** Events of jobs and workers. After a `gap` some were not told: ask again for what you show. */
  follow(
    filter?: Omit<LiveQuery, 'lastEventId'>,
    options?: FollowOptions,
  ): AsyncGenerator<Followed<LiveEvent>>;
  /** The job, then what happens to it; ends after its end. */
  followJob(id: string, options?: Omit<FollowOptions, 'after'>): AsyncGenerator<Followed<JobStreamEvent>>;
}

/** The API says at least so often that it is there, milliseconds; after twice as long the connection is taken for broken. */
const BEAT_MS = 15_000;
const SILENT_MS = 2.5 * BEAT_MS;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** The id of the event after which nothing comes. */
const END = 'end';
const NO_CONTENT = 204;
/** Refusals that pass. */
const PASSING = new Set([408, 429]);

/** Makes the calls about events. */
export function createEvents(options: HttpOptions): Events {
  const base = `${options.url.replace(/\/+$/, '')}/api/v1`;
  return {
    follow: (filter = {}, how = {}) => follow<LiveEvent>(options, `${base}/events${queryText(filter)}`, how),
    followJob: (id, how = {}) =>
      follow<JobStreamEvent>(options, `${base}/jobs/${encodeURIComponent(id)}/events`, how),
  };
}

/** What is kept from one connection to the next. */
interface Place {
  /** The last id. */
  last: string | undefined;
  retryMs: number;
  /** All was told. */
  isOver: boolean;
}

async function* follow<Data>(
  options: HttpOptions,
  url: string,
  how: FollowOptions,
): AsyncGenerator<Followed<Data>> {
  const { signal } = how;
  const place: Place = { last: how.after, retryMs: FIRST_RETRY_MS, isOver: false };
  for (let failures = 0; !signal?.aborted; failures++) {
    let waitMs = 0;
    try {
      for await (const event of followOnce<Data>(options, url, how, place)) {
        failures = 0;
        yield event;
      }
    } catch (error) {
      if (signal?.aborted) return;
      waitMs = waitAfter(error);
    }
    if (place.isOver) return;
    const backOff = Math.min(MAX_RETRY_MS, place.retryMs * 2 ** Math.min(failures, 10));
    // Not all of those whose server was stopped at the same moment come back at the same moment.
    await pause(Math.max(waitMs, backOff * (0.5 + Math.random() / 2)), signal);
  }
}

/** One connection, to its end. */
async function* followOnce<Data>(
  { apiKey, fetch: ask = fetch }: HttpOptions,
  url: string,
  { signal, onOpen }: FollowOptions,
  place: Place,
): AsyncGenerator<Followed<Data>> {
  const watch = watchSilence(signal);
  try {
    const headers = {
      authorization: `Bearer ${apiKey}`,
      accept: 'text/event-stream',
      ...(place.last === undefined ? {} : { 'last-event-id': place.last }),
    };
    const response = await ask(url, { headers, signal: watch.signal });
    place.isOver = response.status === NO_CONTENT;
    if (place.isOver) return;
    if (!response.ok || !response.body) throw await refusal(response);
    onOpen?.();
    const at = (id: string) => {
      place.last = id;
    };
    const retry = (ms: number) => {
      place.retryMs = ms;
    };
    for await (const { id, type, data } of readEventStream(response.body, {
      at,
      retry,
      alive: watch.alive,
    })) {
      place.isOver = id === END;
      yield { id, type, data: JSON.parse(data) as Data };
      if (place.isOver) return;
    }
  } finally {
    watch.stop();
  }
}

/** How long to wait after a failure at least, milliseconds. Throws what will be the same every time. */
function waitAfter(error: unknown): number {
  if (!(error instanceof ApiProblemError)) return 0;
  if (isFinal(error)) throw error;
  return error.retryAfterMs ?? 0;
}

function isFinal({ status }: ApiProblemError): boolean {
  return status >= 400 && status < 500 && !PASSING.has(status);
}

async function refusal(response: Response): Promise<Error> {
  const text = await response.text();
  try {
    const problem = JSON.parse(text);
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    if (typeof problem.code === 'string')
      return new ApiProblemError(problem, Number.isFinite(seconds) ? seconds * 1_000 : undefined);
  } catch {
    // It is no answer of ours.
  }
  return new ApiUnreachableError(`what answers is not the API of Jetbeat: status ${response.status}`);
}

/** Aborts a connection that says nothing for too long. */
function watchSilence(signal: AbortSignal | undefined) {
  const silent = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
  };
  alive();
  return {
    signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
    alive,
    stop: () => clearTimeout(timer),
  };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

function queryText(filter: Readonly<Record<string, readonly string[]>>): string {
  const params = new URLSearchParams();
  for (const [name, values] of Object.entries(filter)) for (const value of values) params.append(name, value);
  return params.size === 0 ? '' : `?${params}`;
}
