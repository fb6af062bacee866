import type { EventPublisher } from '@jetbeat/jetstream';
import type { HeldJobs } from '../held-jobs.ts';
import { tellStart } from './run.ts';

/** A run that is shorter than this tells only its end, milliseconds. */
const WORTH_TELLING_MS = 50;
const EVERY_MS = 25;

/** Tells history of runs that take longer than 50 ms; one timer for all of them. */
export function createStartTeller(params: {
  held: HeldJobs;
  events: EventPublisher;
  worker: string;
  now: () => number;
}): { stop(): void } {
  const { held: jobs, events, worker, now } = params;
  const timer = setInterval(() => {
    if (jobs.running === 0) return;
    const before = now() - WORTH_TELLING_MS;
    for (const held of jobs.all()) {
      if (held.phase !== 'running' || held.startTold || held.startedAt === undefined) continue;
      if (held.startedAt > before) continue;
      // Its end tells history the same; a start that could not be stored is no reason to end the run.
      tellStart({ events, worker, held, at: held.startedAt }).catch(() => undefined);
    }
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
