import { factsOf, type Reason } from '@jetbeat/core';
import type { EventPublisher, Log } from '@jetbeat/jetstream';
import type { JobRecord } from '@jetbeat/postgres';

/** Ends a job of which nobody will ever hear again; `at` is Unix milliseconds. */
export type GiveUp = (row: JobRecord, at: number) => void;

const LOST: Reason = {
  code: 'lost',
  text: 'its message is gone from JetStream, and history cannot publish it again because it was never told the input',
};

/**
 * Makes history say that jobs are lost. It is told as an event, like every end, and nobody waits for that: a store of events that hangs
 * must not hold up the jobs that can be published again. What is on its way is not told again; what was not told when this process
 * ends is found lost by the next look.
 */
export function createGiveUp(params: { events: Pick<EventPublisher, 'publish'>; log: Log }): GiveUp {
  const { events, log } = params;
  /** As many as the publisher holds at most. */
  const onTheirWay = new Set<string>();
  return (row, at) => {
    const { id, task, queue, priority, createdAt, runAt, attempt, run, parks, traceId } = row;
    if (onTheirWay.has(id)) return;
    const place = {
      ...({ v: 1, input: null } as const),
      id,
      task,
      queue,
      priority,
      createdAt,
      runAt,
      attempt,
      run,
      parks,
    };
    onTheirWay.add(id);
    log.error({ job: id, task }, 'a job is lost: its message is gone and its input unknown');
    events
      .publish({ kind: 'ended', ...factsOf(place, traceId), state: 'dead', reason: LOST, at })
      .catch((err: unknown) => log.warn({ err, job: id }, 'that a job is lost is told by a later look'))
      .finally(() => onTheirWay.delete(id));
  };
}
