import type { Priority } from '@jetbeat/core';
import type { JobSource } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { IsolatedRuns } from '@jetbeat/task';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';

const LOOK_MS = 1_000;
/** For how long a queue is left to others before it is tried again, milliseconds: each time twice as long. */
const FIRST_LEAVE_MS = 5_000;
const MAX_LEAVE_MS = 60_000;
/** After so long without a run that waits for a child it counts as over, milliseconds. */
const WELL_MS = 10_000;
const WHY = 'no child can be started here, and others wait for jobs of its queue';

/** What a worker does about its queues while it can start no thread or child process. */
export interface Childless {
  /** Why none could be started; undefined when no run waits for one and no queue is left to others for that. */
  readonly trouble: string | undefined;
  /** How many jobs of a queue may be pulled for this. */
  roomOf(queue: string): number;
  stop(): void;
}

/** A queue in which runs wait, or waited lately, for something to be started for them. */
interface Troubled {
  why: string;
  leaveMs: number;
  /** Nothing is pulled from it until then; 0: it is. */
  leftUntil: number;
  seenAt: number;
  readonly priorities: Set<Priority>;
}

/** What leaving queues to others needs of the worker. */
export interface ChildlessParams {
  readonly jobs: Pick<HeldJobs, 'all'>;
  readonly runs: Pick<IsolatedRuns, 'trouble' | 'isWaiting'>;
  readonly sources: ReadonlyMap<string, Pick<JobSource, 'pulls'>>;
  /** How many pulls of all workers wait on a lane. */
  readonly pullsOn: (queue: string, priority: Priority) => Promise<number>;
  readonly onOpen: () => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: Pick<Log, 'warn' | 'info'>;
}

/**
 * Leaves a queue to other workers that have nothing to do, as long as nothing can be started for its jobs here: pulls no more of it,
 * and gives back what waits for a child once its own pulls are over. Then it is tried again. Where nobody else waits for jobs of the
 * queue this worker goes on: what needs no child is done, and the rest waits in its slots.
 */
export function createChildless(params: ChildlessParams): Childless & { look(): Promise<void> } {
  const { jobs, runs, sources, pullsOn, onOpen, now, log } = params;
  const queues = new Map<string, Troubled>();

  const note = (queue: string, held: readonly Held[]) => {
    const why = runs.trouble ?? WHY;
    const known = queues.get(queue) ?? newTrouble(why);
    queues.set(queue, known);
    known.why = why;
    known.seenAt = now();
    for (const { job } of held) known.priorities.add(job.priority);
  };
  const open = (queue: string, known: Troubled) => {
    known.leftUntil = 0;
    // What waits from now on tells whether it has got better.
    known.seenAt = now();
    log.info({ queue }, 'jobs of this queue are pulled again');
    onOpen();
  };
  const leave = (queue: string, known: Troubled) => {
    known.leftUntil = now() + known.leaveMs;
    log.warn({ queue, forMs: known.leaveMs }, `no child can be started: ${known.why}; others get its jobs`);
    known.leaveMs = Math.min(2 * known.leaveMs, MAX_LEAVE_MS);
  };
  const ownPulls = (queue: string, priority: Priority) => sources.get(queue)?.pulls(priority) ?? 0;
  /** Of these lanes those on which others wait. */
  const awaited = async (queue: string, priorities: Iterable<Priority>): Promise<Set<Priority>> => {
    const found = new Set<Priority>();
    for (const priority of priorities)
      if ((await pullsOn(queue, priority)) > ownPulls(queue, priority)) found.add(priority);
    return found;
  };
  const lookAt = async (queue: string, known: Troubled, waiting: readonly Held[]): Promise<void> => {
    const lanes = await awaited(queue, known.priorities);
    const isLeft = known.leftUntil > 0;
    if (isLeft && (lanes.size === 0 || now() >= known.leftUntil)) open(queue, known);
    else if (!isLeft && lanes.size > 0 && waiting.length > 0) leave(queue, known);
    if (known.leftUntil === 0) return;
    for (const held of waiting) {
      const { priority } = held.job;
      // A pull of its own would bring it back.
      if (lanes.has(priority) && ownPulls(queue, priority) === 0 && runs.isWaiting(held.interrupt))
        held.interrupt.abort(new Error(WHY));
    }
  };
  const look = async (): Promise<void> => {
    const waiting = Map.groupBy(
      [...jobs.all()].filter((held) => held.phase === 'running' && runs.isWaiting(held.interrupt)),
      ({ job }) => job.queue,
    );
    for (const [queue, held] of waiting) note(queue, held);
    for (const [queue, known] of queues) {
      if (known.leftUntil === 0 && now() - known.seenAt > WELL_MS) queues.delete(queue);
      else await lookAt(queue, known, waiting.get(queue) ?? []);
    }
  };

  let looking = false;
  const timer = setInterval(() => {
    if (looking || (runs.trouble === undefined && queues.size === 0)) return;
    looking = true;
    look()
      .catch((err: unknown) => log.warn({ err }, 'cannot tell who else waits for jobs; they stay here'))
      .finally(() => {
        looking = false;
      });
  }, LOOK_MS);
  return {
    look,
    get trouble() {
      return runs.trouble ?? [...queues.values()].find(({ leftUntil }) => leftUntil > 0)?.why;
    },
    roomOf: (queue) => ((queues.get(queue)?.leftUntil ?? 0) > 0 ? 0 : Number.POSITIVE_INFINITY),
    stop: () => clearInterval(timer),
  };
}

function newTrouble(why: string): Troubled {
  return { why, leaveMs: FIRST_LEAVE_MS, leftUntil: 0, seenAt: 0, priorities: new Set() };
}
