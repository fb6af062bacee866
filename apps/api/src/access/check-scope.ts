import {
  CALLBACK_KINDS,
  type Callbacks,
  placeOf,
  type Settings,
  type UniqueAsk,
  WEBHOOK_TASK,
} from '@jetbeat/core';
import { type Database, getJob, type NewJob } from '@jetbeat/postgres';
import type { Fleet } from '../fleet/fleet.ts';
import { ApiError } from '../problems/problem.ts';
import { maySeeQueue, needQueue, type Scoped } from './caller.ts';

/** What of a job says into which queues it leads. */
export interface Leading extends Callbacks {
  readonly task: string;
  /** Absent: that of its task. */
  readonly queue?: string;
  readonly unique?: UniqueAsk | undefined;
}

interface Known {
  readonly settings: Settings;
  readonly fleet: Pick<Fleet, 'tasks'>;
  /** Where the job stands in the body. */
  readonly pointer?: string;
}

/**
 * Refuses what would bring a job into a queue that is not the caller's: the job itself, and what follows when it has ended, as far as that
 * stands in the job. What the configuration or the task says follows by the will of whoever runs the installation; but of a task that
 * nobody has served yet nobody has said anything, and it may come to belong anywhere: its queue has to be named.
 * @throws ApiError queue_not_allowed
 */
export function checkScope(caller: Scoped, job: Leading, known: Known): void {
  if (caller.queues === undefined) return;
  const { settings, fleet, pointer = '' } = known;
  const check = (task: string, said: string | undefined, place: string) => {
    const isSaid = said !== undefined;
    const [configured, served] = [settings.of(task), fleet.tasks.get(task)];
    const isKnown =
      isSaid || served !== undefined || configured.over.queue !== undefined || task === WEBHOOK_TASK;
    const { queue } = placeOf(isSaid ? { queue: said } : {}, configured, served);
    needQueue(caller, isKnown ? queue : undefined, { pointer: `${place}/queue`, isSaid });
  };
  check(job.task, job.queue, pointer);
  for (const kind of CALLBACK_KINDS)
    for (const [index, { task = WEBHOOK_TASK, queue }] of (job[kind] ?? []).entries())
      check(task, queue, `${pointer}/${kind}/${index}`);
  if (job.unique) checkKey(job.unique, pointer);
}

/**
 * The same for a job that is made.
 * @param said the queue that the request names, if any
 */
export function checkJobScope(
  caller: Scoped,
  { envelope, unique }: Pick<NewJob, 'envelope' | 'unique'>,
  { said, ...known }: Known & { readonly said: unknown },
): void {
  const { task, queue, policy } = envelope;
  needQueue(caller, queue, { pointer: `${known.pointer ?? ''}/queue`, isSaid: said === queue });
  checkScope(caller, { ...policy, task, queue, unique }, known);
}

/** A job that takes another one's place ends that one, and of a wider scope that one may be in any queue. */
function checkKey({ onConflict, scope, mode }: UniqueAsk, pointer: string): void {
  if (onConflict !== 'replace' || scope === 'queue') return;
  const message =
    mode === 'last'
      ? 'keepLast is among all jobs of the task, and could replace one of another queue: whoever is for some queues only may not use it'
      : 'this could replace a job of another queue: whoever is for some queues only writes "scope": "queue" here';
  throw new ApiError('queue_not_allowed', message, {
    issues: [{ pointer, code: 'queue_not_allowed', message }],
  });
}

/**
 * Refuses to tell of the job that has a unique key, where that is not in one of the caller's queues, or nobody knows where it is.
 * @throws ApiError key_taken
 */
export async function checkHolder(db: Database, caller: Scoped, id: string): Promise<void> {
  if (caller.queues === undefined) return;
  const job = await getJob(db, id);
  if (job && maySeeQueue(caller, job.queue)) return;
  throw new ApiError('key_taken', 'another job has this key, and it is not one that you may see');
}
