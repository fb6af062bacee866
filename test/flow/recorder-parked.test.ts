import { findMessage, jobSubject, jobsStreamState, parkedSubject, parkJob } from '@jetbeat/jetstream';
import { getJob } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  acceptedEvent,
  createRecorderBench,
  newJob,
  parkedEvent,
  startedEvent,
  traceparent,
  workerEvent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const quick = { unpublishedAfterMs: 200, reconcileEveryMs: 100, releaseEveryMs: 100, trimEveryMs: 50 };

test('what is parked for a task is released when a worker serves it, for a doubt at once', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const [task, doubt] = [newJob({ task: 'a.b', parks: 1 }), newJob({ parks: 1 })];
  const places = [{ what: 'task', task: 'a.b' } as const, { what: 'doubt' } as const];
  for (const [index, envelope] of [task, doubt].entries()) {
    const what = places[index] ?? { what: 'doubt' };
    await parkJob(bus, { envelope, what, traceparent: traceparent() });
    await bench.events.publish(parkedEvent(envelope, what.what));
  }
  await bench.start({ times: quick });
  const freed = await waitUntil('the doubt is over', () =>
    findMessage(bus, { subject: jobSubject(bus, doubt) }),
  );
  expect([freed.envelope, freed.headers.get('Jetbeat-Repeat')]).toEqual([doubt, '1']);
  await waitUntil('history knows', async () => (await getJob(db, doubt.id))?.state === 'queued');
  expect(await getJob(db, doubt.id)).toMatchObject({ seq: freed.seq, parks: 1 });
  expect(await getJob(db, task.id)).toMatchObject({ state: 'parked', reason: { code: 'no_worker' } });

  await bench.events.publish(workerEvent('w1', { tasks: [{ name: 'a.b' }] }));
  await waitUntil('the task is served', () => findMessage(bus, { subject: jobSubject(bus, task) }));
  await waitUntil('history knows', async () => (await getJob(db, task.id))?.state === 'queued');
  for (const [index, { id }] of [task, doubt].entries()) {
    const what = places[index] ?? { what: 'doubt' };
    const subject = parkedSubject(bus, { queue: 'default', what, id });
    await waitUntil(
      'its parking place is empty',
      async () => (await findMessage(bus, { subject })) === undefined,
    );
  }
  expect((await jobsStreamState(bus)).messages).toBe(2);
});

test('a job that was parked as an older run than history knows is not left in its parking place', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const job = newJob({ runAt: Date.now() - 5_000 });
  await bench.events.publish(acceptedEvent(job, 1));
  const { at, ...returned } = startedEvent(job, { at: Date.now() - 5_000 });
  await bench.events.publish({ ...returned, kind: 'returned', startedAt: at, at });
  // The message itself knows nothing of the run that it was given back from.
  const parked = { ...job, parks: 1 };
  await parkJob(bus, { envelope: parked, what: { what: 'doubt' }, traceparent: traceparent() });
  await bench.events.publish(parkedEvent(parked, 'doubt'));
  await bench.start({ ackWaitMs: 500, times: quick });
  const stored = await waitUntil('it is back', () => findMessage(bus, { subject: jobSubject(bus, job) }));
  expect(stored.envelope).toEqual(parked);
  expect(stored.headers.get('Jetbeat-Repeat')).toBe('1');
  await waitUntil('its parking place is empty', async () => (await jobsStreamState(bus)).messages === 1);
  expect(await getJob(db, job.id)).toMatchObject({ state: 'queued', run: 2 });
});

test('a parked job whose message is gone is rebuilt from its row', async () => {
  const bench = await createRecorderBench();
  const job = newJob();
  const parked = { ...job, parks: 1 };
  await bench.events.publish(acceptedEvent(job, 1));
  await bench.events.publish(parkedEvent(parked, 'doubt'));
  await bench.start({ times: quick });
  const stored = await waitUntil('it is back', () =>
    findMessage(bench.bus, { subject: jobSubject(bench.bus, job) }),
  );
  expect(stored.envelope).toEqual(parked);
  await waitUntil('history knows', async () => (await getJob(bench.db, job.id))?.state === 'queued');
});
