import {
  type Call,
  type Callback,
  type CallbackKind,
  callbackKind,
  callbacksOf,
  InvalidInputError,
  makeCallback,
  policyOf,
  type Settings,
  totalLimit,
} from '@jetbeat/core';
import type { JobToPublish, Log } from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  followPass,
  insertJobs,
  type JobRecord,
  listTasks,
  type NewJob,
  notePublished,
  succeededJobs,
  type TaskRecord,
} from '@jetbeat/postgres';
import type { NoticeRule } from '@jetbeat/runtime';
import { endedJob } from './ended-job.ts';
import { makeNotices, NOTICE_ORIGIN } from './notices.ts';
import type { Publish } from './trace-republish.ts';

/** What following ends needs. */
export interface FollowParams {
  readonly db: Database;
  readonly publish: Publish;
  readonly settings: Settings;
  readonly rules: readonly NoticeRule[];
  readonly log: Log;
  /** A job is left alone for so long after its end: its worker tells of its callbacks itself. Milliseconds. */
  readonly graceMs: number;
  /** Jobs in one pass. */
  readonly limit: number;
}

/** Sees to what follows the end of jobs: callbacks that no worker has made, and notices. */
export interface Follow {
  /** Looks after jobs that are dead or have expired. Returns how many were looked at, and how many jobs were made. */
  pass(): Promise<{ looked: number; made: number }>;
  /** Makes up for the callbacks of those of these jobs that have succeeded: whoever asks will acknowledge their messages. */
  succeeded(ids: readonly string[]): Promise<void>;
}

/** How long what is known of tasks is trusted, milliseconds. */
const TASKS_MS = 5_000;
/** Origin of a callback that the recorder has made. */
const CALLBACK_ORIGIN = 'callback';

type Tasks = ReadonlyMap<string, TaskRecord>;

/**
 * Jobs are written first and published then, so that none is lost; their ids follow from the jobs that have ended, so that
 * what a worker has made as well is one job.
 */
export function createFollow(params: FollowParams): Follow {
  const { db, publish, settings, rules, log, graceMs, limit } = params;
  let tasks: { readonly at: number; readonly all: Tasks } | undefined;

  const knownTasks = async (): Promise<Tasks> => {
    if (!tasks || performance.now() - tasks.at > TASKS_MS) {
      const all = new Map((await listTasks(db)).map((task) => [task.name, task]));
      tasks = { at: performance.now(), all };
    }
    return tasks.all;
  };
  const callbacks = (
    kind: CallbackKind,
    { task, queue, policy }: Pick<JobRecord, 'task' | 'queue' | 'policy'>,
    known: Tasks,
  ) => callbacksOf(kind, policy, settings.of(task), known.get(task)?.policy, settings.queue(queue));

  const newJob = ({ envelope, at }: Call, origin: string, known: Tasks): NewJob => ({
    envelope,
    state: at === undefined ? 'queued' : 'scheduled',
    totalLimitMs: totalLimit(
      policyOf(envelope.policy, settings.of(envelope.task), known.get(envelope.task)?.policy),
    ),
    origin,
  });
  const makeAll = async (jobs: readonly JobRecord[], known: Tasks, now: number): Promise<NewJob[]> => {
    const made: NewJob[] = [];
    for (const job of jobs) {
      const kind = callbackKind(job.state);
      if (kind === undefined) continue;
      for (const [index, callback] of callbacks(kind, job, known).entries()) {
        const call = await make({ job, kind, index, callback, known, now });
        if (call) made.push({ ...newJob(call, CALLBACK_ORIGIN, known), traceparent: job.traceparent });
      }
    }
    return made;
  };
  const make = async (one: {
    job: JobRecord;
    kind: CallbackKind;
    index: number;
    callback: Callback;
    known: Tasks;
    now: number;
  }): Promise<Call | undefined> => {
    const { job, known, ...rest } = one;
    try {
      const ended = endedJob(job);
      return await makeCallback({ ...rest, ended, settings, known: (task) => known.get(task) });
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      log.error({ job: job.id, task: job.task, err: error }, 'a callback of this job cannot be made');
      return undefined;
    }
  };
  /** What cannot be published now is found by reconcile. */
  const send = async (jobs: readonly NewJob[]) => {
    if (jobs.length === 0) return;
    const items = jobs.map(
      ({ envelope, traceparent }): JobToPublish => ({ envelope, traceparent, repeat: true }),
    );
    const results = await publish(items);
    const stored = items.flatMap(({ envelope: { id } }, index) => {
      const result = results[index];
      if (!result?.ok) return [];
      return [result.duplicate || result.delayed ? { id } : { id, seq: result.seq }];
    });
    await notePublished(db, stored);
    for (const { envelope } of jobs)
      log.info(
        { job: envelope.id, task: envelope.task, of: envelope.parent },
        'a job follows the end of another',
      );
  };

  return {
    async pass() {
      const known = await knownTasks();
      const now = await databaseTime(db);
      const { looked, made } = await followPass(db, {
        now,
        before: now - graceMs,
        limit,
        decide: async (ended, counts) => {
          const notices = await makeNotices({ rules, settings, now }, ended, counts);
          const follows = await makeAll(ended, known, now);
          const told = notices.calls.map((call) => newJob(call, NOTICE_ORIGIN, known));
          return { jobs: [...follows, ...told], counts: notices.counts };
        },
      });
      await send(made);
      return { looked, made: made.length };
    },
    async succeeded(ids) {
      if (ids.length === 0) return;
      const known = await knownTasks();
      const which = (job: Pick<JobRecord, 'task' | 'queue' | 'policy'>) =>
        callbacks('onSuccess', job, known).length > 0;
      const jobs = await succeededJobs(db, { ids, which });
      const follows = await makeAll(jobs, known, await databaseTime(db));
      const written = new Set(await insertJobs(db, follows));
      await send(follows.filter(({ envelope }) => written.has(envelope.id)));
    },
  };
}
