import type { ServerResponse } from 'node:http';
import type { StoredEvents } from '@jetbeat/jetstream';
import type { JobMark } from '@jetbeat/postgres';
import { every, type Log, type Readings, type StreamLimits } from '@jetbeat/runtime';
import type { Caller } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';
import { callerKey, createAdmission } from './admission.ts';
import type { EventPlace } from './event-id.ts';
import { createFeed } from './feed.ts';
import { retryFrame } from './frame.ts';
import { createHub, type EventsStand } from './hub.ts';
import { createJobFeed, type JobFeed, type Picture } from './job-feed.ts';
import { createOutlet, type Outlet } from './outlet.ts';
import { createView, type LiveFilter } from './view.ts';
import { watchCallers } from './watch-callers.ts';

/** Where a stream is written to: what begins the answer, and the answer. */
export interface StreamTarget {
  readonly response: ServerResponse;
  /** Writes status and headers. */
  begin(): void;
}

/** Streams of what happens. */
export interface LiveEvents {
  /**
   * Tells what happens. Resolves when the stream has begun.
   * @param stream.after how far the client was told already
   * @throws ApiError too_many_streams, overloaded, messaging_unavailable, stopping
   */
  tell(stream: {
    readonly caller: Caller;
    readonly filter: LiveFilter;
    readonly after: EventPlace | 'unknown' | undefined;
    readonly to: StreamTarget;
  }): Promise<void>;
  /** Tells what happens to one job, from what history knows to its end. Throws the same. */
  tellOfJob(stream: {
    readonly caller: Caller;
    readonly job: string;
    readonly look: () => Promise<Picture | undefined>;
    readonly to: StreamTarget;
  }): Promise<void>;
  readings(): Readings;
  /** Ends all streams; clients come back, here or elsewhere. Safe twice. */
  stop(): Promise<void>;
}

/** What streams ask of the servers. */
export interface LivePorts {
  isConnected(): boolean;
  stand(): Promise<EventsStand>;
  readEvents(range: { readonly from: number; readonly upTo: number }): Promise<readonly StoredEvents[]>;
  /** Those of the callers who may still call, by `callerKey`. */
  stillMay(callers: readonly Caller[]): Promise<ReadonlySet<string>>;
  jobMarks(ids: readonly string[]): Promise<readonly JobMark[]>;
}

/** Proxies cut what says nothing for a minute, some for half of one. Milliseconds. */
const BEAT_MS = 15_000;
/** How often it is looked whether callers still may, milliseconds: revoked keys hear nothing within a second. */
const CALLERS_MS = 250;
/** How often jobs with streams of their own are looked at, milliseconds. */
const MARKS_MS = 1_000;
/** After which a client comes back, milliseconds. */
const RETRY_MS = 2_000;
/** How long a stream may take to begin, milliseconds. */
const BEGIN_MS = 3_000;
const NOT_SOON_MS = 60_000;

interface Stream {
  readonly caller: string;
  readonly outlet: Outlet;
  beat(): void;
  readonly gaps?: () => number;
  readonly ofJob?: JobFeed;
}

/** Makes them; nothing is read while nobody listens. */
export function createLiveEvents(params: {
  readonly ports: LivePorts;
  readonly log: Pick<Log, 'warn' | 'debug'>;
  /** How much streams may take. */
  readonly limits: StreamLimits;
}): LiveEvents {
  const { ports, log, limits } = params;
  const { waitingBytes, waitingOfOne } = limits;
  const admission = createAdmission(limits);
  const watch = watchCallers({ stillMay: (callers) => ports.stillMay(callers) });
  const streams = new Set<Stream>();
  let gapsOfClosed = 0;
  let stopped = false;
  const hub = createHub({
    ports: { ...portsOf(ports), mayTell: () => watch.isSure },
    poke: () => telling.poke(),
  });
  const telling = every({
    name: 'tell',
    intervalMs: NOT_SOON_MS,
    maxBackoffMs: 500,
    log,
    pass: (signal) => hub.pass(signal),
  });
  const checking = every({
    name: 'callers',
    intervalMs: NOT_SOON_MS,
    maxBackoffMs: 500,
    log,
    async pass() {
      if (admission.count === 0) return undefined;
      const gone = await watch.look(admission.callers);
      for (const { caller, outlet } of streams) if (gone.has(caller)) outlet.end();
      return CALLERS_MS;
    },
  });
  const comparing = every({
    name: 'jobs',
    intervalMs: NOT_SOON_MS,
    maxBackoffMs: MARKS_MS,
    log,
    async pass() {
      const ofJobs = [...streams].flatMap(({ ofJob }) => ofJob ?? []);
      if (ofJobs.length === 0) return undefined;
      if (!watch.isSure) return CALLERS_MS;
      const marks = await ports.jobMarks([...new Set(ofJobs.map(({ job }) => job))]);
      const byId = new Map(marks.map((mark) => [mark.id, mark]));
      for (const feed of ofJobs) {
        const mark = byId.get(feed.job);
        if (mark) feed.compare(mark);
      }
      return MARKS_MS;
    },
  });
  const beating = setInterval(() => {
    for (const stream of streams) stream.beat();
  }, BEAT_MS);
  beating.unref();
  for (const loop of [telling, checking, comparing]) loop.start();

  const most = () =>
    Math.max(waitingOfOne.least, Math.min(waitingOfOne.most, waitingBytes / Math.max(1, admission.count)));
  /** Takes a client in; what it was given is taken back when it has gone. */
  const open = async (caller: Caller, to: StreamTarget): Promise<Outlet | undefined> => {
    if (stopped) throw stopping();
    const leave = admission.admit(caller);
    const exit = hub.enter();
    const go = () => {
      leave();
      exit();
    };
    checking.poke();
    const place = await hub.standing(BEGIN_MS);
    const isGone = to.response.destroyed || to.response.writableEnded;
    if (place && !stopped && !isGone) {
      to.begin();
      const outlet = createOutlet({ response: to.response, most });
      outlet.onClose(go);
      outlet.say(retryFrame(RETRY_MS));
      return outlet;
    }
    go();
    if (isGone) return undefined;
    if (stopped) throw stopping();
    throw new ApiError('messaging_unavailable', 'NATS does not answer: try again later', { retryAfter: 2 });
  };
  const keep = (stream: Stream): void => {
    streams.add(stream);
    stream.outlet.onClose(() => {
      streams.delete(stream);
      gapsOfClosed += stream.gaps?.() ?? 0;
    });
  };

  return {
    async tell({ caller, filter, after, to }) {
      const outlet = await open(caller, to);
      if (!outlet) return;
      const feed = createFeed({ hub, outlet, view: createView(filter, caller), after });
      keep({ caller: callerKey(caller), outlet, beat: () => feed.beat(), gaps: () => feed.gaps });
      await begun(outlet, feed.begin());
    },
    async tellOfJob({ caller, job, look, to }) {
      const outlet = await open(caller, to);
      if (!outlet) return;
      const warn = (err: unknown) =>
        log.warn({ err, job }, 'a stream of a job was ended: it could not be read');
      const lookIfSure = async () => {
        const picture = await look();
        if (!watch.isSure) throw new Error('it is not known whether the caller still may see it');
        return picture;
      };
      const view = createView({ job: [job] }, caller);
      const feed = createJobFeed({ job, hub, outlet, view, look: lookIfSure, warn });
      keep({ caller: callerKey(caller), outlet, beat: () => feed.beat(), ofJob: feed });
      comparing.poke();
      await begun(outlet, feed.begin());
    },
    readings: () => ({
      jetbeat_api_streams: admission.count,
      jetbeat_api_stream_waiting_bytes: sum([...streams].map(({ outlet }) => outlet.buffered)),
      jetbeat_api_stream_gaps_total: gapsOfClosed + sum([...streams].map(({ gaps }) => gaps?.() ?? 0)),
    }),
    async stop() {
      stopped = true;
      clearInterval(beating);
      for (const { outlet } of streams) outlet.end();
      await Promise.all([telling.stop(), checking.stop(), comparing.stop()]);
    },
  };

  /** The answer has begun, so that what goes wrong now can only end it: the client comes back. */
  async function begun(outlet: Outlet, beginning: Promise<void>): Promise<void> {
    await beginning.catch((err: unknown) => {
      log.warn({ err }, 'a stream was ended: what it should begin with could not be read');
      outlet.end();
    });
  }
}

function stopping(): ApiError {
  return new ApiError('stopping', 'this process stops: try again', { retryAfter: 1 });
}

function portsOf(ports: LivePorts) {
  return {
    isConnected: () => ports.isConnected(),
    stand: () => ports.stand(),
    readEvents: (range: { readonly from: number; readonly upTo: number }) => ports.readEvents(range),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
