import type { Settings } from '@jetbeat/core';
import {
  type Bus,
  type EventPublisher,
  findMessage,
  type LeaseWatch,
  parkedSubject,
} from '@jetbeat/jetstream';
import type { Database, ParkedJob } from '@jetbeat/postgres';
import { inGroups } from '../reconciling/look-up.ts';
import { whatOf } from './release.ts';

/** What a pass needs that goes round keys or rates for which jobs are parked. Times in milliseconds. */
export interface GoRoundParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly leases: LeaseWatch;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  /** How long a job must have been parked. */
  readonly waitedMs: number;
  /** Keys or rates in one pass. */
  readonly limit: number;
  readonly readToEndMs: number;
  /** One that could not be looked after; the others are. */
  readonly onError: (error: unknown, name: string) => void;
}

/** Where the next pass goes on: behind this key or rate; `''` is the beginning. */
export interface Round {
  /** How many jobs were put back on their queues. */
  readonly released: number;
  readonly after: string;
}

const GROUP = 8;

/** Acts on one job of each key or rate. One that fails is told of, and has its turn again in the next round. Returns the sum of what they return. */
export async function goRound<T>(
  params: Pick<GoRoundParams, 'onError'> & {
    readonly jobs: readonly T[];
    readonly nameOf: (job: T) => string;
  },
  act: (job: T) => Promise<number>,
): Promise<number> {
  const { jobs, nameOf, onError } = params;
  const each = await inGroups(jobs, GROUP, (job) =>
    act(job).catch((error: unknown) => {
      onError(error, nameOf(job));
      return 0;
    }),
  );
  return each.reduce((sum, one) => sum + one, 0);
}

/** Behind which one the next pass goes on. */
export function roundAfter<T>(jobs: readonly T[], limit: number, nameOf: (job: T) => string): string {
  const last = jobs.at(-1);
  return last === undefined || jobs.length < limit ? '' : nameOf(last);
}

/** Whether JetStream has nothing at the parking place of a job. */
export async function isLost(bus: Bus, job: ParkedJob): Promise<boolean> {
  const subject = parkedSubject(bus, { queue: job.queue, what: whatOf(job), id: job.id });
  return (await findMessage(bus, { subject })) === undefined;
}
