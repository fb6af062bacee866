import type { Job, JobAccepted, Problem, Schedule, WorkerJson } from '@jetbeat/core/http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deadJob, makeKey } from '../support/access.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';
import { workerEvent, writeWorkers } from '../support/recorder.ts';

/** The routing sends a task elsewhere than it says itself. */
const YAML = `
api: {rateLimits: {failures: null}}
routing: {"routed.here": mine, "routed.there": theirs}
`;
let api: TestApi;
/** An operator for the queue `mine` alone. */
let own: Http;
beforeAll(async () => {
  api = await startTestApi({ yaml: YAML });
  own = api.as((await makeKey(api, { role: 'operator', queues: ['mine'] })).key);
  const both = { name: 'a.task' };
  await writeWorkers(api.db, [
    workerEvent('w-mine', { queues: ['mine'], tasks: [both, { name: 'home.mine', queue: 'mine' }] }),
    workerEvent('w-theirs', { queues: ['theirs'], tasks: [both, { name: 'home.theirs', queue: 'theirs' }] }),
    workerEvent('w-both', { queues: ['mine', 'theirs'], tasks: [both] }),
  ]);
});
afterAll(() => api?.stop());

const post = <Body = Problem>(path: string, body: object, http = own) => http.call<Body>('POST', path, body);
const job = { task: 'a.task', queue: 'mine', input: 1 };
const refused = (pointer: string) => ({
  code: 'queue_not_allowed',
  errors: [{ pointer, code: 'queue_not_allowed' }],
});

describe('an operator of one queue makes no job in another one', () => {
  test('named by itself, by its task, or by the routing; what it does not know it is not told', async () => {
    expect((await post('/jobs', { ...job, queue: 'theirs' })).body).toMatchObject({
      status: 403,
      ...refused('/queue'),
    });
    for (const task of ['home.theirs', 'routed.there', 'of.nobody']) {
      const { body } = await post('/jobs', { task, input: 1 });
      expect(body, task).toMatchObject({ status: 403, ...refused('/queue') });
      expect(body.detail, task).not.toMatch(/theirs|default/);
    }
    for (const task of ['home.mine', 'routed.here'])
      expect((await post('/jobs', { task, input: 1 })).status, task).toBe(202);
    expect((await post('/jobs', { task: 'home.theirs', queue: 'mine', input: 1 })).status).toBe(202);
    const { body } = await post<{ items: { error?: { code: string } }[] }>('/jobs/batch', {
      jobs: [job, { ...job, queue: 'theirs' }],
    });
    expect(body.items.map(({ error }) => error?.code)).toEqual([undefined, 'queue_not_allowed']);
  });

  test('nor by what follows its end', async () => {
    const asked: [object, string][] = [
      [{ onSuccess: { task: 'a.task', queue: 'theirs' } }, '/onSuccess/0/queue'],
      [{ onFailure: [{ task: 'home.mine' }, { task: 'home.theirs' }] }, '/onFailure/1/queue'],
      [{ onFailure: { webhook: { url: 'https://example.org/' } } }, '/onFailure/0/queue'],
    ];
    for (const [callbacks, pointer] of asked)
      expect((await post('/jobs', { ...job, ...callbacks })).body, pointer).toMatchObject(refused(pointer));
    const fine = { onFailure: { webhook: { url: 'https://example.org/' }, queue: 'mine' } };
    expect((await post('/jobs', { ...job, ...fine })).status).toBe(202);
  });

  test('nor by a retry or a replay of what somebody else has made', async () => {
    const change = {
      task: 'a.task',
      queue: 'mine',
      policy: { onSuccess: [{ task: 'a.task', queue: 'theirs' }] },
    };
    const id = await deadJob(api, change);
    for (const path of [`/jobs/${id}/retry`, `/dead-letters/${id}/replay`])
      expect((await post(path, {})).body, path).toMatchObject({
        status: 403,
        ...refused('/onSuccess/0/queue'),
      });
    expect((await post(`/jobs/${id}/retry`, {}, api.http)).status).toBe(202);
    const plain = await deadJob(api, { task: 'a.task', queue: 'mine' });
    expect((await post(`/jobs/${plain}/retry`, {})).status).toBe(202);
  });

  test('nor is it told of a job in another queue that has its unique key, or takes its place', async () => {
    const held = { ...job, queue: 'theirs', delay: '1h', uniqueKey: 'shared' };
    expect((await post('/jobs', held, api.http)).status).toBe(202);
    const asked = await post('/jobs?wait=1s', { ...job, uniqueKey: 'shared' });
    expect(asked.body).toMatchObject({ status: 409, code: 'key_taken' });
    expect(asked.headers.get('location')).toBeNull();
    const replace = { key: 'shared', onConflict: 'replace' };
    expect((await post('/jobs', { ...job, uniqueKey: replace })).body).toMatchObject({ status: 403 });
    expect((await post('/jobs', { ...job, keepLast: 'shared' })).body).toMatchObject({ status: 403 });
    const within = { ...job, delay: '1h', uniqueKey: { ...replace, scope: 'queue' } };
    const [first, second] = [
      await post<JobAccepted>('/jobs', within),
      await post<JobAccepted>('/jobs', within),
    ];
    expect(second.body).toMatchObject({ created: true, replaced: first.body.id });
  });
});

describe('an operator of one queue and schedules', () => {
  const when = { cron: '0 3 * * *' };
  const put = (name: string, body: object, http = own) =>
    http.call<Schedule & Problem>('PUT', `/schedules/${name}`, body);
  const get = async (name: string) =>
    (await own.call<Schedule & Problem>('GET', `/schedules/${name}`)).status;
  const listed = async () => {
    const { body } = await own.call<{ items: Schedule[] }>('GET', '/schedules?limit=200');
    return body.items.map(({ name }) => name);
  };

  test('it sees those whose jobs go into its queue, by whatever says so', async () => {
    const jobs = {
      named: { queue: 'mine', task: 'x' },
      task: { task: 'home.mine' },
      routed: { task: 'routed.here' },
    };
    const others = {
      named: { queue: 'theirs', task: 'home.mine' },
      task: { task: 'home.theirs' },
      usual: { task: 'x' },
    };
    for (const [name, one] of Object.entries(jobs))
      expect((await put(`in.${name}`, { when, job: { ...one, input: 1 } }, api.http)).status).toBe(201);
    for (const [name, one] of Object.entries(others))
      expect((await put(`out.${name}`, { when, job: { ...one, input: 1 } }, api.http)).status).toBe(201);
    expect(await listed()).toEqual(['in.named', 'in.routed', 'in.task']);
    for (const name of Object.keys(jobs)) expect(await get(`in.${name}`)).toBe(200);
    for (const name of Object.keys(others)) expect(await get(`out.${name}`)).toBe(404);
    const { body } = await own.call<{ items: { schedule: string }[] }>('GET', '/forecast');
    expect(body.items.map(({ schedule }) => schedule).sort()).toEqual(['in.named', 'in.routed', 'in.task']);
  });

  test('it moves none out of its queue, and one that was moved away is gone for it', async () => {
    expect((await put('move', { when, job })).status).toBe(201);
    for (const change of [{ queue: 'theirs' }, { queue: null }, { queue: null, task: 'home.theirs' }])
      expect(
        (await own.call('PATCH', '/schedules/move', { job: change })).body,
        JSON.stringify(change),
      ).toMatchObject(refused('/job/queue'));
    expect((await put('move', { when, job: { ...job, queue: 'theirs' } })).body).toMatchObject(
      refused('/job/queue'),
    );
    const callback = { onFailure: { task: 'a.task', queue: 'theirs' } };
    expect((await own.call('PATCH', '/schedules/move', { job: callback })).body).toMatchObject(
      refused('/job/onFailure/0/queue'),
    );
    expect((await own.call('PATCH', '/schedules/move', { overlap: 'allow' })).status).toBe(200);
    expect((await api.http.call('PATCH', '/schedules/move', { job: { queue: 'theirs' } })).status).toBe(200);
    expect(await get('move')).toBe(404);
    expect(await listed()).not.toContain('move');
    expect((await put('move', { when, job })).body).toMatchObject({ status: 409, code: 'schedule_exists' });
    for (const verb of ['pause', 'resume', 'trigger'])
      expect((await post(`/schedules/move/${verb}`, {})).body, verb).toMatchObject({
        code: 'schedule_not_found',
      });
    expect((await own.call<Problem>('DELETE', '/schedules/move')).body).toMatchObject({
      code: 'schedule_not_found',
    });
  });

  test('it asks for no runs that lead into another queue', async () => {
    const callback = { onSuccess: { task: 'a.task', queue: 'theirs' } };
    expect((await put('leads', { when, job: { ...job, ...callback } }, api.http)).status).toBe(201);
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
    expect((await post('/schedules/leads/trigger', {})).body).toMatchObject(
      refused('/job/onSuccess/0/queue'),
    );
    expect((await post('/schedules/leads/backfill', range)).body).toMatchObject(
      refused('/job/onSuccess/0/queue'),
    );
    const { body } = await own.call<{ items: unknown[] }>('GET', '/schedules/leads/occurrences');
    expect(body.items).toEqual([]);
    expect((await post('/schedules/leads/pause', {})).status).toBe(200);
  });
});

describe('what is told on the way', () => {
  /** The queue, and not the task that is named after it. */
  const ELSEWHERE = /(?<!\.)theirs/;

  test('no warning names a queue of others', async () => {
    const { body } = await post<JobAccepted>('/jobs', { task: 'home.theirs', queue: 'mine', input: 1 });
    expect(body.warnings).toMatchObject([{ code: 'no_worker' }]);
    expect(JSON.stringify(body)).not.toMatch(ELSEWHERE);
    const { body: found } = await own.call<Job>('GET', `/jobs/${body.id}`);
    expect(JSON.stringify(found)).not.toMatch(ELSEWHERE);
    const { body: all } = await post<JobAccepted>(
      '/jobs',
      { task: 'home.theirs', queue: 'mine', input: 1 },
      api.http,
    );
    expect(JSON.stringify(all.warnings)).toMatch(ELSEWHERE);
  });

  test('lists, counts and filters know nothing of other queues', async () => {
    await post('/jobs', { ...job, queue: 'theirs' }, api.http);
    const { body: jobs } = await own.call<{ items: Job[] }>('GET', '/jobs?limit=200');
    expect(new Set(jobs.items.map(({ queue }) => queue))).toEqual(new Set(['mine']));
    for (const path of ['/jobs?queue=theirs', '/dead-letters?queue=theirs', '/schedules?search=out.'])
      expect((await own.call<{ items: unknown[] }>('GET', path)).body.items, path).toEqual([]);
    for (const path of ['/jobs/counts?queue=theirs', '/jobs/counts?search=queue:theirs']) {
      const { body } = await own.call<{ total: { value: number } }>('GET', path);
      expect(body.total, path).toMatchObject({ value: 0 });
    }
    const all = { action: 'cancel', filter: { queue: 'theirs' }, dryRun: true };
    expect((await post<{ total: object }>('/batches', all)).body.total).toMatchObject({ value: 0 });
    expect((await post<{ total: object }>('/batches', all, api.http)).body.total).not.toMatchObject({
      value: 0,
    });
    const { body: queues } = await own.call<{ items: { name: string }[] }>('GET', '/queues');
    expect(queues.items.map(({ name }) => name)).toEqual(['mine']);
    const { body: tasks } = await own.call<{
      items: { name: string; queue: string | null; queues: string[] }[];
    }>('GET', '/tasks');
    expect(tasks.items.map(({ name }) => name).sort()).toEqual(['a.task', 'home.mine']);
    // Nor does a page tell of more.
    for (const path of ['/queues', '/tasks']) {
      const { body: page } = await own.call<{ items: unknown[]; nextCursor: string | null; total: object }>(
        'GET',
        `${path}?limit=1`,
      );
      expect([page.items.length, page.nextCursor !== null], path).toEqual([1, path === '/tasks']);
      expect(page.total).toEqual({ value: path === '/tasks' ? 2 : 1, capped: false });
      if (page.nextCursor === null) continue;
      const { body: last } = await own.call('GET', `${path}?limit=1&cursor=${page.nextCursor}`);
      expect(last).toEqual({ items: [expect.objectContaining({ name: 'home.mine' })], nextCursor: null });
    }
    // Which other queues a worker has is not found out by asking for one after the other.
    for (const [queue, ids] of [
      ['mine', ['w-both', 'w-mine']],
      ['theirs', []],
    ] as const) {
      const { body } = await own.call<{ items: WorkerJson[]; total: object }>(
        'GET',
        `/workers?queue=${queue}`,
      );
      expect(body.items.map(({ id }) => id).sort(), queue).toEqual(ids);
      expect(body.total, queue).toMatchObject({ value: ids.length });
      for (const worker of body.items) expect(worker.queues).toEqual(['mine']);
    }
    // It may be taken from here, and goes elsewhere where nothing is said.
    expect(tasks.items.find(({ name }) => name === 'a.task')).toMatchObject({
      queue: null,
      queues: ['mine'],
    });
  });
});
