import { factsOf } from '@jetbeat/core';
import type { EventPublisher } from '@jetbeat/jetstream';
import type { Held } from './held.ts';

/**
 * Gives back a job that has begun: first history is told, so that the doubt which meets the message knows that it is free.
 */
export function createGiveBack(params: {
  worker: string;
  events: EventPublisher;
  now: () => number;
}): (held: Held) => Promise<void> {
  const { worker, events, now } = params;
  return async ({ job, traceId, runId, startedAt, deliveries }) => {
    const at = now();
    await events.publish({
      kind: 'returned',
      ...factsOf(job, traceId, deliveries[0]?.seq),
      ...{ runId: runId ?? '', worker, startedAt: startedAt ?? at, at },
    });
    for (const delivery of deliveries) delivery.nak();
  };
}
