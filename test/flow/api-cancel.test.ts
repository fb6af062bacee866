import { project } from '@jetbeat/core';
import type { Job } from '@jetbeat/core/http';
import {
  askDoubt,
  createEventPublisher,
  type EventSource,
  findMessage,
  openCancelled,
  openEventSource,
  serveHeld,
  timerSubject,
} from '@jetbeat/jetstream';
import { beginCancel, getJob, recordChanges } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import { newJob, settledEvent, startedEvent, workerEvent } from '../support/recorder.ts';

const WORKER = 'worker-1';

let api: TestApi;
/** Takes what the API says of what it has cancelled, as a recorder would. */
let history: Pick<EventSource, 'close'>;
beforeAll(async () => {
  api = await startTestApi();
  const source = openEventSource(api.bus, { maxBatches: 10, maxWaitMs: 1_000 });
  let closed = false;
  const reading = (async () => {
    while (!closed) for (const batch of await source.next()) batch.ack();
  })();
  history = {
    async close() {
      closed = true;
      await source.close();
      await reading;
    },
  };
});
afterAll(() => api?.stop());

const cancel = (id: string, body?: object) =>
  api.http.call<Job & ProblemJson>('POST', `/jobs/${id}/cancel`, body);

test('a delayed job: its timer is gone; again is the same answer', async () => {
  const { id, state } = await api.enqueue({ task: 'later', input: 1, delay: '1h' });
  expect(state).toBe('scheduled');
  await api.published(id);
  expect(await findMessage(api.bus, { subject: timerSubject(api.bus, id) })).toBeDefined();
  const { status, body } = await cancel(id, { reason: 'not needed' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ id, state: 'cancelled', reason: { code: 'cancelled', text: 'not needed' } });
  expect(body.finishedAt).not.toBeNull();
  expect(await findMessage(api.bus, { subject: timerSubject(api.bus, id) })).toBeUndefined();
  expect((await cancel(id)).body).toMatchObject({ id, state: 'cancelled', reason: { text: 'not needed' } });
});

test('a queued job that nobody holds: its message is gone', async () => {
  const { id } = await api.enqueue({ task: 'queued', input: 1 });
  const { seq = 0 } = await api.published(id);
  expect((await cancel(id)).body.state).toBe('cancelled');
  expect(await findMessage(api.bus, { seq })).toBeUndefined();
});

test('a job on a queue that no worker has served yet: its message is gone too', async () => {
  const { id, warnings } = await api.enqueue({ task: 'queued', input: 1, queue: 'nowhere' });
  expect(warnings).toMatchObject([{ code: 'no_worker' }]);
  const { seq = 0 } = await api.published(id);
  expect((await cancel(id)).body.state).toBe('cancelled');
  expect(await findMessage(api.bus, { seq })).toBeUndefined();
});

test('a job that a worker has begun is cancelling; so is one whose worker does not answer', async () => {
  await api.workerIsAlive(WORKER);
  // Not published: nobody can say where it is but the workers.
  const release = api.holdPublishing();
  const { id } = await api.enqueue({ task: 'report.send', input: { to: 'a' }, queue: 'reports' });
  const other = await api.enqueue({ task: 'report.send', input: { to: 'a' }, queue: 'reports' });
  const asked: { ids: string[]; cancel: boolean }[] = [];
  const position = { attempt: 1, run: 1, parks: 0 };
  const serving = serveHeld(api.bus, WORKER, (question) => {
    asked.push(question);
    return [{ id, begun: true, settling: false, position }];
  });
  const { status, body } = await cancel(id, { reason: 'enough' });
  expect([status, body.state]).toEqual([202, 'cancelling']);
  expect(asked).toMatchObject([{ ids: [id], cancel: true }]);
  // What its worker says later of its beginning changes nothing.
  const started = startedEvent(newJob({ id, task: 'report.send', queue: 'reports' }));
  await recordChanges(api.db, { changes: project([started]), workers: [], now: Date.now() });
  expect((await api.http.job(id)).state).toBe('cancelling');
  expect((await getJob(api.db, id))?.worker).toBe(WORKER);
  await serving.close();
  const silent = await cancel(other.id);
  expect([silent.status, silent.body.state]).toEqual([202, 'cancelling']);
  release();
});

test('what is not there: 404', async () => {
  expect((await cancel('0190b5a0-7c00-7000-8000-000000000000')).body).toMatchObject({ status: 404 });
});

/** Cancelled while a worker ran it of which nothing was heard since. */
let stopped = '';

test('a worker of which history does not know yet is asked too', async () => {
  const release = api.holdPublishing();
  const { id } = await api.enqueue({ task: 'queued', input: 1 });
  stopped = id;
  const serving = serveHeld(api.bus, 'new-worker', () => [{ id, begun: true }]);
  await api.bus.flush();
  expect((await cancel(id)).body).toMatchObject({ state: 'cancelling' });
  expect((await getJob(api.db, id))?.cancelRequestedAt).toBeGreaterThan(0);
  await serving.close();
  release();
});

test('a job that may have ended, which history has not read yet: the cancel is noted, and holds', async () => {
  await history.close();
  const release = api.holdPublishing();
  const { id } = await api.enqueue({ task: 'queued', input: 1 });
  const events = createEventPublisher(api.bus);
  await events.publish(settledEvent(newJob({ id, task: 'queued' })));
  const [first, second, again] = await Promise.all([
    ...[cancel(id, { reason: 'enough' }), cancel(id, { reason: 'enough' })],
    cancel(stopped),
  ] as const);
  const { cancelRequestedAt } = first.body;
  for (const { status, body } of [first, second])
    expect([status, body]).toMatchObject([
      202,
      { state: 'queued', cancelReason: 'enough', cancelRequestedAt },
    ]);
  expect(await api.http.call('POST', `/jobs/${id}/run-now`, {})).toMatchObject({ status: 409 });
  // What could not be done is not taken back, and done by who can: it stays one cancel.
  const marks = openCancelled(api.bus);
  await marks.load();
  expect([marks.has(id), marks.has(stopped)]).toEqual([true, true]);
  expect([again.status, again.body.state]).toEqual([202, 'cancelling']);
  const { body: audit } = await api.http.call<{ items: { action: string }[] }>(
    'GET',
    `/audit?target=job:${id}`,
  );
  expect(audit.items.map(({ action }) => action)).toEqual(['job.cancel']);
  const other = await api.enqueue({ task: 'queued', input: 1, delay: '1h' });
  await beginCancel(api.db, { id: other.id, now: Date.now() - 60_000 });
  await api.record();
  expect((await getJob(api.db, other.id))?.cancelRequestedAt).toBeDefined();
  const [ended, noted] = await Promise.all([id, other.id].map((job) => api.http.ended(job)));
  // It had ended before it was cancelled.
  expect([ended?.state, noted?.state]).toEqual(['succeeded', 'cancelled']);
  // Nor does the next one run what was stopped where nobody is any more.
  await marks.remove(stopped);
  await events.publish(workerEvent(WORKER, { state: 'stopped' }));
  const doubt = { job: stopped, worker: 'next', attempt: 1, run: 1, parks: 0 };
  expect(await askDoubt(api.bus, [doubt], 5_000)).toEqual([{ answer: 'settled' }]);
  expect((await api.http.job(stopped)).state).toBe('cancelled');
  await events.close();
  release();
});
