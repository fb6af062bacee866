import {
  type Call,
  type CallbackKind,
  callbackKind,
  callbacksOf,
  makeCallback,
  type PublishedEvent,
  parseTraceparent,
  policyOf,
  publishedEvent,
  type Settings,
  totalLimit,
} from '@jetbeat/core';
import type { JobToPublish, Log, TellWithin } from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  type Followed,
  type Follow as FollowedBy,
  followPass,
  type JobRecord,
  listTasks,
  type NewJob,
  notePublished,
  succeededJobs,
  type TaskRecord,
  type ToFollow,
  type UnmadeFollow,
  writeFollowed,
} from '@jetbeat/postgres';
import type { NoticeRule } from '@jetbeat/runtime';
import type { Publish } from '../reconciling/trace-republish.ts';
import { endedJob } from './ended-job.ts';
import { makeNotices, NOTICE_ORIGIN } from './notices.ts';

/** What following ends needs. */
export interface FollowParams {
  readonly db: Database;
  readonly publish: Publish;
  /** Tells those who follow what happens of jobs that were made, before they are noted as published. */
  readonly tell: TellWithin;
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
  /**
   * Looks after jobs that are dead or have expired. Returns how many were looked at, how many jobs were made, and how many could not
   * be made.
   */
  pass(): Promise<{ looked: number; made: number; unmade: number }>;
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
  const { db, publish, tell, settings, rules, log, graceMs, limit } = params;
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
  const makeAll = async (
    ended: readonly ToFollow[],
    known: Tasks,
    now: number,
  ): Promise<Omit<Followed, 'counts'>> => {
    const follows: FollowedBy[] = [];
    const unmade: UnmadeFollow[] = [];
    const attempt = async <T>(
      what: string,
      of: string,
      act: () => Promise<T> | T,
    ): Promise<T | undefined> => {
      try {
        return await act();
      } catch (error) {
        unmade.push({ job: of, what, error });
        return undefined;
      }
    };
    for (const { job, only } of ended) {
      const kind = callbackKind(job.state);
      if (kind === undefined) continue;
      const all = await attempt(kind, job.id, () => callbacks(kind, job, known));
      for (const [index, callback] of (all ?? []).entries()) {
        const what = `${kind}:${index}`;
        if (only && !only.has(what) && !only.has(kind)) continue;
        const made = await attempt(what, job.id, async () => {
          const task = (name: string) => known.get(name);
          const one = { kind, index, callback, settings, now, ended: endedJob(job), known: task };
          return newJob(await makeCallback(one), CALLBACK_ORIGIN, known);
        });
        if (made) follows.push({ of: job.id, what, job: { ...made, traceparent: job.traceparent } });
      }
    }
    return { follows, unmade };
  };
  /** What cannot be published now is found by reconcile. */
  const send = async (jobs: readonly NewJob[]) => {
    if (jobs.length === 0) return;
    const items = jobs.map(
      ({ envelope, traceparent }): JobToPublish => ({ envelope, traceparent, repeat: true }),
    );
    const results = await publish(items);
    const told: PublishedEvent[] = [];
    const stored = items.flatMap(({ envelope, traceparent }, index) => {
      const { id } = envelope;
      const result = results[index];
      if (!result?.ok) return [];
      told.push(publishedEvent(envelope, parseTraceparent(traceparent)?.traceId));
      return [result.duplicate || result.delayed ? { id } : { id, seq: result.seq }];
    });
    const why = await tell(told);
    await notePublished(
      db,
      stored.map((row) => (why ? { ...row, untold: true } : row)),
    );
    for (const { envelope } of jobs)
      log.info(
        { job: envelope.id, task: envelope.task, of: envelope.parent },
        'a job follows the end of another',
      );
  };

  const warn = (unmade: readonly UnmadeFollow[]) => {
    for (const { job, what, error } of unmade)
      log.error(
        { job, what, err: error },
        'what follows the end of a job cannot be made; trying again later',
      );
  };

  return {
    async pass() {
      const known = await knownTasks();
      const now = await databaseTime(db);
      const { looked, made, unmade } = await followPass(db, {
        now,
        before: now - graceMs,
        limit,
        decide: async (ended, counts) => {
          const toJob = (call: Call) => newJob(call, NOTICE_ORIGIN, known);
          const notices = await makeNotices({ rules, settings, now, newJob: toJob }, ended, counts);
          const called = await makeAll(ended, known, now);
          return {
            follows: [...called.follows, ...notices.follows],
            unmade: [...called.unmade, ...notices.unmade],
            counts: notices.counts,
          };
        },
      });
      warn(unmade);
      await send(made);
      return { looked, made: made.length, unmade: unmade.length };
    },
    async succeeded(ids) {
      if (ids.length === 0) return;
      const known = await knownTasks();
      const which = (job: Pick<JobRecord, 'task' | 'queue' | 'policy'>) => {
        try {
          return callbacks('onSuccess', job, known).length > 0;
        } catch {
          // It is told of below, and tried again.
          return true;
        }
      };
      const jobs = await succeededJobs(db, { ids, which });
      const now = await databaseTime(db);
      const ended = jobs.map((job) => ({ job }));
      const { made, unmade } = await writeFollowed(db, { ...(await makeAll(ended, known, now)), now });
      warn(unmade);
      await send(made);
    },
  };
}
