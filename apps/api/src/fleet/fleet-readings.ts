import type { JetStreamView } from '@jetbeat/jetstream';
import type { Census } from '@jetbeat/postgres';
import type { Readings } from '@jetbeat/runtime';

/** The servers that are asked about the fleet. `jetstream` rejects while NATS is away. */
export interface FleetSources {
  readonly jetstream: () => Promise<JetStreamView>;
  readonly postgresql: () => Promise<Census>;
}

const FRESH_MS = 1_000;
/** A scrape waits no longer for a server; what is not there by then is not on the page. */
const WAIT_MS = 1_500;

/**
 * The view of the whole fleet, as JetStream and PostgreSQL have it: the same at every replica of the API. Each server is looked
 * at once a second at most, however many scrapers there are, and one that is away takes only its own part off the page.
 */
export function readFleet(params: {
  sources: FleetSources;
  /** Milliseconds. */
  monotonic?: () => number;
}): () => Promise<Readings> {
  const { sources, monotonic = () => performance.now() } = params;
  const jetstream = once(sources.jetstream, monotonic);
  const postgresql = once(sources.postgresql, monotonic);
  return async () => {
    const [view, census] = await Promise.all([jetstream(), postgresql()]);
    return {
      jetbeat_fleet_up: [
        { labels: { source: 'jetstream' }, value: view ? 1 : 0 },
        { labels: { source: 'postgresql' }, value: census ? 1 : 0 },
      ],
      ...(view && ofJetStream(view)),
      ...(census && ofPostgresql(census)),
    };
  };
}

function ofJetStream(view: JetStreamView): Readings {
  const { lanes, unserved, streams, parked, timers } = view;
  const perLane = (figure: (lane: JetStreamView['lanes'][number]) => number) =>
    lanes.map((lane) => ({ labels: { queue: lane.queue, priority: lane.priority }, value: figure(lane) }));
  return {
    jetbeat_queue_pending_jobs: perLane(({ pending }) => pending),
    jetbeat_queue_in_flight_jobs: perLane(({ inFlight }) => inFlight),
    jetbeat_queue_redelivered_jobs: perLane(({ redelivered }) => redelivered),
    jetbeat_queue_waiting_pulls: perLane(({ pulls }) => pulls),
    jetbeat_queue_oldest_age_seconds: perLane(({ oldestMs }) => oldestMs / 1_000),
    ...(unserved && { jetbeat_unserved_jobs: unserved.reduce((sum, { jobs }) => sum + jobs, 0) }),
    ...(timers === undefined ? {} : { jetbeat_timer_jobs: timers }),
    ...(parked === undefined ? {} : { jetbeat_parked_jobs: parked }),
    jetbeat_dead_letters: view.deadLetters,
    jetbeat_events_unrecorded_batches: view.unrecorded,
    jetbeat_events_unrecorded_age_seconds: view.unrecordedMs / 1_000,
    jetbeat_stream_messages: streams.map(({ stream, messages }) => ({ labels: { stream }, value: messages })),
    jetbeat_stream_bytes: streams.map(({ stream, bytes }) => ({ labels: { stream }, value: bytes })),
  };
}

function ofPostgresql({ workers, jobs, schedules }: Census): Readings {
  const byState = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([state, value]) => ({ labels: { state }, value }));
  return {
    jetbeat_workers: byState(workers),
    jetbeat_open_jobs: jobs.map((row) => ({ labels: { state: row.state }, value: row.jobs })),
    jetbeat_schedules: byState(schedules),
  };
}

/** Looks at most once in a while, and at most once at a time; `undefined` where a look fails or takes too long. */
function once<Value>(look: () => Promise<Value>, monotonic: () => number): () => Promise<Value | undefined> {
  let last: { readonly at: number; readonly value: Promise<Value | undefined> } | undefined;
  let underWay: Promise<Value | undefined> | undefined;
  return () => {
    if (last && monotonic() - last.at < FRESH_MS) return last.value;
    // A look that goes on after its time is not joined by another one.
    underWay ??= look()
      .catch(() => undefined)
      .finally(() => {
        underWay = undefined;
      });
    const value = within(WAIT_MS, underWay);
    last = { at: monotonic(), value };
    return value;
  };
}

async function within<Value>(ms: number, value: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  return Promise.race([value, late]).finally(() => clearTimeout(timer));
}
