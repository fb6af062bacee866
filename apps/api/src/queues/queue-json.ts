import { formatDuration, PRIORITIES, type Priority, type QueueLimits } from '@jetbeat/core';
import type { Queue } from '@jetbeat/core/http';
import type { LaneView, WaitingCount } from '@jetbeat/jetstream';
import { limitsOf, type QueueRecord } from '@jetbeat/postgres';
import { timeText } from '../jobs/job-json.ts';
import type { QueuePicture } from './queue-picture.ts';

/** A queue as the API shows it. `now`: Unix milliseconds. */
export function queueJson(
  name: string,
  queue: QueueRecord | undefined,
  picture: QueuePicture,
  now: number,
): Queue {
  const { lanes, unserved, capped, rates, workers } = picture;
  const counts = picture.counts.get(name) ?? [];
  const inState = (state: string) =>
    counts.reduce((sum, count) => (count.state === state ? sum + count.jobs : sum), 0);
  const parked = counts.flatMap(({ state, reason = 'unknown', jobs }): [string, number][] =>
    state === 'parked' ? [[reason, jobs]] : [],
  );
  const isThere = queue !== undefined || counts.length > 0 || workers.has(name);
  const isGone = !isThere && lanes?.has(name) === false && unserved?.has(name) === false;
  const { succeeded = 0, failed = 0, ended = 0 } = rates.get(name) ?? {};
  return {
    name,
    version: queue?.version ?? 0,
    ...limitsJson(queue ? limitsOf(queue) : {}),
    configured: limitsJson(queue?.initial ?? {}),
    paused: pausedJson(queue?.paused, now),
    ...waitingJson(
      lanes?.get(name) ?? [],
      lanes && (unserved ? (unserved.get(name) ?? []) : lanes.get(name) && []),
    ),
    running: inState('running') + inState('cancelling'),
    scheduled: inState('scheduled'),
    retrying: inState('retrying'),
    parked: Object.fromEntries(parked),
    capped: [...capped] as Queue['capped'],
    perMinute: { succeeded, failed, ended },
    workers: [...(workers.get(name) ?? [])],
    ...(isGone ? { onlyHistory: true } : {}),
    purge: purgeJson(queue?.purge),
  };
}

/** Limits as they are written. */
export function limitsJson(limits: QueueLimits): Queue['configured'] {
  const { rateLimit } = limits;
  const concurrency = limits.concurrency ?? null;
  const maxDepth = limits.maxDepth ?? null;
  if (!rateLimit) return { concurrency, rateLimit: null, maxDepth };
  const { periodMs, per = 'queue', ...rest } = rateLimit;
  return { concurrency, rateLimit: { ...rest, period: formatDuration(periodMs), per }, maxDepth };
}

function pausedJson(paused: QueueRecord['paused'], now: number): Queue['paused'] {
  if (!paused || (paused.until !== undefined && paused.until <= now)) return null;
  const { by, note = null, since, until } = paused;
  return { by, note, since: timeText(since), until: until === undefined ? null : timeText(until) };
}

/**
 * What waits on lanes, and where no consumer is: of that the fullest are lanes too, as an age was looked up.
 * @param unserved undefined: nobody knows
 */
function waitingJson(
  lanes: readonly LaneView[],
  unserved: readonly WaitingCount[] | undefined,
): Pick<Queue, 'waiting' | 'held' | 'oldestMs'> {
  if (!unserved) return { waiting: null, held: null, oldestMs: null };
  const of = (priority: Priority) => {
    const lane = lanes.find((lane) => lane.priority === priority)?.pending ?? 0;
    return Math.max(lane, unserved.find((count) => count.priority === priority)?.jobs ?? 0);
  };
  const [high = 0, normal = 0, low = 0] = PRIORITIES.map(of);
  const isLooked = high + normal + low > 0 && lanes.length > 0;
  const oldest = Math.max(0, ...lanes.map(({ oldestMs }) => Math.round(oldestMs)));
  return {
    waiting: { high, normal, low },
    held: lanes.reduce((sum, { inFlight }) => sum + inFlight, 0),
    oldestMs: isLooked ? oldest : null,
  };
}

function purgeJson(purge: QueueRecord['purge']): Queue['purge'] {
  if (!purge) return null;
  const { by, at, timers, removed, doneAt } = purge;
  return { by, at: timeText(at), timers, removed, doneAt: doneAt === undefined ? null : timeText(doneAt) };
}
