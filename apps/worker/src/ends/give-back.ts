import type { JobEnvelope } from '@jetbeat/core';
import { type Bus, type EventPublisher, noteWaiting, publishJobs } from '@jetbeat/jetstream';
import type { Held } from '../held.ts';

/** How long the publish may take; the worker is stopping. */
const PUBLISH_MS = 1_000;

/**
 * Gives back a job that has begun, as its next run: history is told, the job is published again, its message acknowledged. A
 * nak would be shorter, but a server that is stopped right afterwards forgets it, and the job would wait for ack_wait.
 */
export function createGiveBack(params: {
  worker: string;
  bus: Bus;
  events: EventPublisher;
  now: () => number;
}): (held: Held) => Promise<void> {
  const { worker, bus, events, now } = params;
  return async (held) => {
    const { job, carried, runId, startedAt, deliveries } = held;
    const at = now();
    const envelope: JobEnvelope = { ...job, run: job.run + 1 };
    // Where nothing can be noted it runs again all the same.
    if (job.unique) await noteWaiting(bus, envelope).catch(() => undefined);
    await events.publish({
      kind: 'returned',
      ...held.facts(),
      runId,
      worker,
      startedAt: startedAt ?? at,
      at,
    });
    const [result] = await publishJobs(bus, [{ envelope, ...carried }], { timeoutMs: PUBLISH_MS });
    // Unconfirmed, it may be there twice; then the doubt finds that one of them is free and the other held.
    for (const delivery of deliveries) result?.ok ? delivery.ack() : delivery.nak();
  };
}

/**
 * Tells history that a job does not run here, though the recorder has said that it may: what comes next is a new run, for
 * whoever is handed its message. Of what was in no doubt nothing is told: its message still says the run before, so what is
 * parked of it, or has a unique key, would be taken for a job that has begun.
 */
export function createTurnBack(params: {
  worker: string;
  events: EventPublisher;
  now: () => number;
}): (held: Held) => Promise<void> {
  const { worker, events, now } = params;
  return async (held) => {
    if (!held.granted) return;
    held.granted = false;
    await events.publish({ kind: 'returned', ...held.facts(), worker, at: now() });
  };
}
