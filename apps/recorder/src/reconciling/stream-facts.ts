import type { Priority, ReconcileMarks, StreamFacts } from '@jetbeat/core';
import {
  type Bus,
  type ConsumerState,
  consumerState,
  eventsState,
  jobsStreamState,
} from '@jetbeat/jetstream';

/** Names a lane: the consumer of one queue and priority. */
export interface Lane {
  readonly queue: string;
  readonly priority: Priority;
}

/** A job, and where it waits. */
interface Waiting extends Lane {
  /** How often it was parked, where that is known. */
  readonly parks?: number;
}

/** What is known of the streams for a job. */
export type FactsOf = (job: Waiting) => StreamFacts;

/** Reads what the streams say of these lanes. */
export async function streamFacts(bus: Bus, lanes: readonly Lane[]): Promise<FactsOf> {
  const { lastSeq: jobsSeq } = await jobsStreamState(bus);
  const consumers = new Map<string, ConsumerState>();
  for (const lane of lanes) {
    if (!consumers.has(nameOf(lane)))
      consumers.set(nameOf(lane), await consumerState(bus, lane.queue, lane.priority));
  }
  const { lastSeq: eventsSeq, recordedUpTo } = await eventsState(bus);
  return (job) => {
    const found = consumers.get(nameOf(job));
    if (!found) throw new RangeError(`the lane ${nameOf(job)} was not asked for`);
    // What was never parked waits behind its own lane alone; what was may be in either.
    const delivered = job.parks === 0 ? found.deliveredPlain : found.delivered;
    return { consumer: { ...found, delivered }, jobsSeq, eventsSeq, recordedUpTo };
  };
}

/** The ends of both streams now: first JOBS, then EVENTS, so that what settles a job of the one is in the other. */
export async function streamEnds(bus: Bus): Promise<ReconcileMarks> {
  const { lastSeq: jobsSeq } = await jobsStreamState(bus);
  const { lastSeq: eventsSeq } = await eventsState(bus);
  return { jobsSeq, eventsSeq };
}

function nameOf({ queue, priority }: Lane): string {
  return `${queue}/${priority}`;
}
