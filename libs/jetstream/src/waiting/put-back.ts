import { factsOf, type JobEnvelope, messageId, parseTraceparent } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import type { EventPublisher } from '../events/event-publisher.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { durableName, laneOf } from '../streams/names.ts';
import { deleteJobMessage, findMessage, type StoredJob } from './find-message.ts';
import { FrontLanes } from './front-lanes.ts';

/** What putting parked jobs back needs. */
export interface PutBackParams {
  readonly bus: Bus;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * Puts parked jobs back on their queues: publishes them, tells history, clears their parking places.
 * @returns of each whether it went; false: it is not parked any more (it went, has run and is done since it was looked at)
 * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function putBack(
  { bus, events, now }: PutBackParams,
  jobs: readonly StoredJob[],
): Promise<readonly boolean[]> {
  const known = jobs.flatMap((job) => (job.envelope ? [{ ...job, envelope: job.envelope }] : []));
  const lanes = inside(bus).part(FrontLanes);
  const places = new Map(known.map(({ envelope }) => [nameOf(envelope), envelope]));
  const fronts = new Map(
    await Promise.all([...places].map(async ([name, place]) => [name, await lanes.has(place)] as const)),
  );
  const results = await publishJobs(
    bus,
    known.map(({ envelope, traceparent, link, arrival, seq }) => ({
      envelope,
      traceparent,
      link,
      arrival,
      messageId: `${messageId(envelope)}.freed${seq}`,
      // It has waited already: behind what came meanwhile what was kept for it would be over.
      ...(fronts.get(nameOf(envelope)) ? { front: true } : { priority: 'high' }),
    })),
  );
  const gone = await Promise.all(
    known.map(async ({ envelope, traceparent, seq }, index) => {
      const result = results[index];
      if (!result) throw new Error('publishJobs answered nothing');
      if (!result.ok) throw result.error;
      if (result.duplicate && (await findMessage(bus, { seq }))?.envelope?.id !== envelope.id)
        return undefined;
      const traceId = parseTraceparent(traceparent)?.traceId;
      const at = result.duplicate ? undefined : result.seq;
      await events.publish({ kind: 'released', ...factsOf(envelope, traceId, at), at: now() });
      await deleteJobMessage(bus, seq);
      return seq;
    }),
  );
  const seqs = new Set(gone);
  return jobs.map(({ seq }) => seqs.has(seq));
}

function nameOf({ queue, priority }: JobEnvelope): string {
  return durableName(queue, laneOf(priority, true));
}
