import type { Priority, ReconcileMarks, StreamFacts } from '@jetbeat/core';
import { type Bus, consumerState, eventsState, jobsStreamState } from '@jetbeat/jetstream';

/** Names a lane: the consumer of one queue and priority. */
export interface Lane {
  readonly queue: string;
  readonly priority: Priority;
}

/** What is known of the streams, by lane. */
export type FactsByLane = (lane: Lane) => StreamFacts;

/** Reads what the streams say of these lanes. */
export async function streamFacts(bus: Bus, lanes: readonly Lane[]): Promise<FactsByLane> {
  const { lastSeq: jobsSeq } = await jobsStreamState(bus);
  const consumers = new Map<string, StreamFacts['consumer']>();
  for (const lane of lanes) {
    if (!consumers.has(nameOf(lane)))
      consumers.set(nameOf(lane), await consumerState(bus, lane.queue, lane.priority));
  }
  const { lastSeq: eventsSeq, recordedUpTo } = await eventsState(bus);
  return (lane) => {
    const consumer = consumers.get(nameOf(lane));
    if (!consumer) throw new RangeError(`the lane ${nameOf(lane)} was not asked for`);
    return { consumer, jobsSeq, eventsSeq, recordedUpTo };
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
