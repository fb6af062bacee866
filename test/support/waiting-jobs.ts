import type { JobEnvelope } from '@jetbeat/core';
import { parkedSubject, parkJob, publishJobs, timerSubject } from '@jetbeat/jetstream';
import { insertJobs, notePublished } from '@jetbeat/postgres';
import { newJob, parkedEvent, type RecorderBench, ROW, settledEvent, traceparent } from './recorder.ts';

/** Jobs that have not begun, one in each place where one can wait. */
export interface WaitingJobs {
  readonly all: readonly JobEnvelope[];
  /** The one of them that has failed once. */
  readonly retrying: JobEnvelope;
  /** Of what it failed. */
  readonly error: { readonly name: string; readonly message: string };
  /** Where their messages are, but for those that wait in a lane. */
  readonly places: readonly { readonly subject: string }[];
  /** One more beside them in a lane. */
  readonly kept: JobEnvelope;
}

/**
 * Puts them there: published and not yet, as a timer, parked, and between two attempts.
 * @param params.change how they differ from others; `kept`: how that one does; `runAt`: when what waits for a time is due
 */
export async function placeWaitingJobs(
  { bus, db, events }: RecorderBench,
  params: {
    readonly change?: Partial<JobEnvelope>;
    readonly kept?: Partial<JobEnvelope>;
    readonly runAt: number;
  },
): Promise<WaitingJobs> {
  const { change, runAt } = params;
  const [queued, unpublished, retrying] = [newJob(change), newJob(change), newJob(change)];
  const scheduled = newJob({ ...change, runAt });
  const parked = newJob({ ...change, parks: 1 });
  const kept = newJob(params.kept);
  await insertJobs(db, [
    ...[queued, unpublished, { ...parked, parks: 0 }, retrying, kept].map((envelope) => ({
      ...ROW,
      envelope,
      state: 'queued' as const,
    })),
    { ...ROW, envelope: scheduled, state: 'scheduled' },
  ]);
  const results = await publishJobs(bus, [
    ...[{ envelope: queued }, { envelope: kept }, { envelope: scheduled, at: runAt }],
    { envelope: { ...retrying, attempt: 2, run: 2 }, at: runAt },
  ]);
  await notePublished(
    db,
    [queued, kept, scheduled].map(({ id }, index) => {
      const result = results[index];
      return { id, ...(result?.ok && index < 2 ? { seq: result.seq } : {}) };
    }),
  );
  const what = { what: 'task', task: parked.task } as const;
  await parkJob(bus, { envelope: parked, what, traceparent: traceparent() });
  await events.publish(parkedEvent(parked, 'task'));
  const error = { name: 'TypeError', message: 'no' };
  const next = { state: 'retrying', attempt: 2, runAt } as const;
  await events.publish(settledEvent(retrying, { outcome: 'failed', error, next }));
  return {
    all: [queued, unpublished, scheduled, parked, retrying],
    retrying,
    error,
    kept,
    places: [
      ...[scheduled, retrying].map(({ id }) => ({ subject: timerSubject(bus, id) })),
      { subject: parkedSubject(bus, { queue: parked.queue, what, id: parked.id }) },
    ],
  };
}
