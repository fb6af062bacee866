import type { Job } from '@jetbeat/core/http';
import { findMessage, jobsStreamState } from '@jetbeat/jetstream';
import { writeFollowed } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import { waitUntil } from '../support/wait-until.ts';

const WORKER = 'worker-1';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.stop());

test('accepted, shown, and in JetStream as its own self-contained message', async () => {
  const accepted = await api.enqueue({ task: 'a.b', input: { x: 1 }, priority: 'high', meta: { k: 'v' } });
  expect(accepted).toMatchObject({ state: 'queued', created: true, warnings: [{ code: 'no_worker' }] });
  const { body: job } = await api.http.call<Job>('GET', `/jobs/${accepted.id}`);
  expect(job).toMatchObject({
    id: accepted.id,
    task: 'a.b',
    queue: 'default',
    priority: 'high',
    state: 'queued',
    input: { x: 1 },
    meta: { k: 'v' },
    attempts: [],
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    reason: { code: 'no_worker', text: expect.stringContaining('the queue "default"') },
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(new Date(job.createdAt).toISOString()).toBe(job.createdAt);
  const { seq } = await api.published(accepted.id);
  const message = await findMessage(api.bus, { seq: seq ?? 0 });
  expect(message?.envelope).toMatchObject({
    id: accepted.id,
    input: { x: 1 },
    attempt: 1,
    run: 1,
    parks: 0,
  });
  // The caller sent no trace, so the job is one of its own.
  expect(message?.traceparent).toBeUndefined();
  expect(job.traceId).toBe(accepted.id.replaceAll('-', ''));
});

test('what should have followed the end of a job and could not be made is shown', async () => {
  const { id } = await api.enqueue({ task: 'a.b', input: null });
  expect(await api.http.job(id)).not.toHaveProperty('unmade');
  expect(await api.http.call('POST', `/jobs/${id}/cancel`, {})).toMatchObject({ status: 200 });
  const now = Date.UTC(2026, 0, 1);
  const unmade = ['onFailure:0', 'notice:a'].map((what) => ({ job: id, what, error: new Error('broken') }));
  await writeFollowed(api.db, { now, unmade, follows: [] });
  const since = new Date(now).toISOString();
  const kept = { tries: 1, since, nextTryAt: new Date(now + 5_000).toISOString(), error: 'Error: broken' };
  const { body: job } = await api.http.call<Job>('GET', `/jobs/${id}`);
  expect(job.unmade).toEqual(['notice', 'onFailure:0'].map((what) => ({ what, ...kept })));
});

test('accepted while it cannot be published: it is stored, and published later', async () => {
  const release = api.holdPublishing();
  const { id } = await api.enqueue({ task: 'a.b', input: null });
  expect((await api.http.job(id)).state).toBe('queued');
  release();
  expect(await api.published(id)).toMatchObject({ id });
});

test('a hundred at once are a hundred', async () => {
  const before = await jobsStreamState(api.bus);
  const accepted = await Promise.all(
    Array.from({ length: 100 }, (_, index) => api.enqueue({ task: 'many', input: index })),
  );
  expect(new Set(accepted.map(({ id }) => id)).size).toBe(100);
  await waitUntil(
    'all are published',
    async () => (await jobsStreamState(api.bus)).messages >= before.messages + 100,
  );
});

test('what the task of a live worker says holds, and its schema is asked', async () => {
  await api.workerIsAlive(WORKER);
  const accepted = await waitUntil('the worker is seen', async () => {
    const answer = await api.enqueue({ task: 'report.send', input: { to: 'a' } });
    return answer.warnings.length === 0 && answer;
  });
  expect((await api.http.job(accepted.id)).state).toBe('queued');
  const refused = await api.http.call<ProblemJson>('POST', '/jobs', {
    task: 'report.send',
    input: { to: 1 },
  });
  expect(refused.body).toMatchObject({
    status: 422,
    code: 'invalid_input',
    errors: [{ pointer: '/input/to' }],
  });
});

test('listed newest first, by pages, by filter', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 5; index++) ids.push((await api.enqueue({ task: 'listed', input: index })).id);
  const list = async (query: string) =>
    (await api.http.call<{ items: Job[]; nextCursor: string | null }>('GET', `/jobs?task=listed${query}`))
      .body;
  const first = await list('&limit=3');
  const rest = await list(`&limit=3&cursor=${first.nextCursor}`);
  expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual([...ids].sort().reverse());
  expect(rest.nextCursor).toBeNull();
  expect((await list('&state=queued&state=scheduled')).items).toHaveLength(5);
  expect((await list('&state=succeeded')).items).toHaveLength(0);
  expect((await list('&queue=other')).items).toHaveLength(0);
  expect((await list('&from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z')).items).toHaveLength(0);
  expect((await list('&from=2020-01-01T00:00:00Z')).items).toHaveLength(5);
});

test('a list shows what is small of its jobs, and names what is cut', async () => {
  const input = { text: 'x'.repeat(100_000) };
  const large = await api.enqueue({ task: 'large', input });
  const small = await api.enqueue({ task: 'large', input: 'y' });
  const { body } = await api.http.call<{ items: Job[] }>('GET', '/jobs?task=large');
  expect(body.items.map(({ id, cut, input: shown }) => ({ id, cut, shown }))).toEqual(
    expect.arrayContaining([
      { id: large.id, cut: ['input'], shown: null },
      { id: small.id, cut: undefined, shown: 'y' },
    ]),
  );
  expect(JSON.stringify(body).length).toBeLessThan(2_000);
  const { body: whole } = await api.http.call<Job>('GET', `/jobs/${large.id}`);
  expect(whole.input).toEqual(input);
  expect(whole).not.toHaveProperty('cut');
});

test('what is not there: 404; a message larger than NATS takes: 413', async () => {
  const missing = await api.http.call<ProblemJson>('GET', '/jobs/0190b5a0-7c00-7000-8000-000000000000');
  expect(missing.body).toMatchObject({ status: 404, code: 'job_not_found' });
  const large = await api.http.call<ProblemJson>('POST', '/jobs', {
    task: 'a',
    input: 'x'.repeat(1_048_300),
  });
  expect(large.body).toMatchObject({ status: 413, code: 'payload_too_large' });
});

test('health, and who may call', async () => {
  const ready = await fetch(`${api.http.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(((await ready.json()) as { checks: { name: string }[] }).checks.map(({ name }) => name)).toEqual([
    'database',
    'nats',
    'publisher',
    'storage',
  ]);
  const stranger = api.as(`jb_first_${'x'.repeat(43)}`);
  expect((await stranger.call<ProblemJson>('GET', '/jobs')).body).toMatchObject({
    status: 401,
    code: 'unauthorized',
  });
});
