import type { Priority } from '@jetbeat/core';
import type { JobSource } from '@jetbeat/jetstream';
import type { Held } from '../held.ts';
import type { Ready } from '../running/ready.ts';
import type { Pace } from './pace.ts';

/** How often it is looked who waits, milliseconds; whoever is seen twice has waited for that long. */
const EVERY_MS = 250;

/** What handing over needs of the worker. */
export interface HandOverParams {
  readonly ready: Pick<Ready, 'waiting' | 'drop' | 'size'>;
  readonly sources: ReadonlyMap<string, Pick<JobSource, 'pulls'>>;
  readonly pace: Pick<Pace, 'slow'>;
  /** How many pulls of all workers wait on a lane. */
  readonly pullsOn: (queue: string, priority: Priority) => Promise<number>;
  /** Gives a job back that has not begun. */
  readonly refuse: (held: Held) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Gives back what waits here for a slot while another worker has nothing to do. A worker that has measured short jobs holds some
 * in advance; when long ones come instead, they are shared out again. Where all are busy nothing is given back: a message
 * that was handed out twice is asked about before it runs.
 */
export function createHandOver(params: HandOverParams): { stop(): void } {
  const { ready, sources, pace, pullsOn, refuse, onError } = params;
  let seen: ReadonlySet<Held> = new Set();
  let asking = false;
  const look = (): Held[] => {
    if (ready.size === 0 && seen.size === 0) return [];
    const waiting = ready.waiting();
    const late = waiting.filter((held) => seen.has(held));
    seen = new Set(waiting);
    if (late.length > 0) pace.slow(EVERY_MS);
    return late;
  };
  const giveBack = async (late: Held[]): Promise<void> => {
    const lanes = Map.groupBy(late, ({ job: { queue, priority } }) => `${queue} ${priority}`);
    for (const jobs of lanes.values()) {
      const [first] = jobs;
      if (!first) continue;
      const { queue, priority } = first.job;
      const own = sources.get(queue)?.pulls(priority) ?? 0;
      if ((await pullsOn(queue, priority)) <= own) continue;
      for (const held of jobs) if (ready.drop(held)) refuse(held);
    }
  };
  const timer = setInterval(() => {
    const late = look();
    if (asking || late.length === 0) return;
    asking = true;
    giveBack(late)
      .catch(onError)
      .finally(() => {
        asking = false;
      });
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
