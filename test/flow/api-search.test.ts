import { JOB_STATES } from '@jetbeat/core';
import type { Job, JobCounts, JobPage, Stats } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';
import { waitUntil } from '../support/wait-until.ts';

const COUNT = 24;

let api: TestApi;
let ids: string[];
beforeAll(async () => {
  api = await startTestApi();
  const jobs = Array.from({ length: COUNT }, (_, n) => ({
    task: `mail.send${n % 3}`,
    queue: n % 2 === 0 ? 'even' : 'odd',
    input: { user: { id: n } },
    ...(n % 4 === 0 ? { meta: { tenant: `t${n % 8}`, 'a.b': 'x y' } } : {}),
    ...(n % 6 === 0 ? { delay: '1h' } : {}),
  }));
  ids = [];
  // One after the other: their order is that of their ids.
  for (const job of jobs) ids.push((await api.enqueue(job)).id);
});
afterAll(() => api?.stop());

const list = async (query: string, http: Http = api.http) => {
  const { status, body } = await http.call<JobPage>('GET', `/jobs?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
/** Of all pages: one looks for so long only, and on a busy machine not at all jobs. With a limit of the first one. */
const numbers = async (query: string, http?: Http) => {
  const found: Job[] = [];
  for (let cursor = ''; ; ) {
    const { items, nextCursor } = await list(`${query}${cursor}`, http);
    found.push(...items);
    if (nextCursor === null || query.includes('limit=')) break;
    cursor = `&cursor=${nextCursor}`;
  }
  return found.map(({ id }) => ids.indexOf(id)).reverse();
};

test('jobs are found by qualifiers, words and notes, newest first', async () => {
  const encoded = (search: string) => `search=${encodeURIComponent(search)}`;
  expect(await numbers(encoded('queue:even task:mail.send0,mail.send1 state:queued'))).toEqual([
    4, 10, 16, 22,
  ]);
  expect(await numbers(encoded('input.user.id:7'))).toEqual([7]);
  expect(await numbers(`${encoded('send2')}&queue=odd`)).toEqual([5, 11, 17, 23]);
  expect(await numbers(encoded('state:scheduled'))).toEqual([0, 6, 12, 18]);
  expect(await numbers(encoded(ids[3] ?? ''))).toEqual([3]);
  expect(await numbers('meta.tenant=t4')).toEqual([4, 12, 20]);
  expect(await numbers('meta.tenant=t4&meta.a.b=x%20y&state=scheduled')).toEqual([12]);
  expect(await numbers(encoded('meta.a.b:"x y" meta.tenant:t0'))).toEqual([0, 8, 16]);
});

test('a list tells how many there are on its first page, and a search how far it has looked', async () => {
  expect((await list('limit=5')).total).toEqual({ value: COUNT, capped: false });
  expect((await list('limit=5&queue=odd')).total).toEqual({ value: COUNT / 2, capped: false });
  // One page looks for so long only: on a busy machine another one looks at them all.
  const whole = (query: string) =>
    waitUntil('one page has looked at all', async () => {
      const page = await list(query);
      return page.searched?.complete && page;
    });
  const found = await whole('search=input.user.id:7');
  expect(found).toMatchObject({ total: { value: 1, capped: false }, searched: { until: null } });
  expect(await whole('limit=5&meta.tenant=t0')).toMatchObject({ nextCursor: null });
  const page = await waitUntil('one page has found two', async () => {
    const found = await list('limit=2&meta.tenant=t0');
    return found.items.length === 2 && found;
  });
  expect(page.searched).toMatchObject({ complete: false, until: expect.stringMatching(/Z$/) });
  const rest = await waitUntil('the next has found the last', async () => {
    const found = await list(`limit=2&meta.tenant=t0&cursor=${page.nextCursor}`);
    return found.items.length > 0 && found;
  });
  expect(rest.items.map(({ id }: Job) => id)).toEqual([ids[0]]);
  expect(rest.total).toBeUndefined();
});

test('a cursor holds on every replica, with the same filters alone', async () => {
  const { nextCursor } = await list('limit=3&queue=odd&state=queued');
  const other = await api.beside();
  const after = `cursor=${nextCursor}`;
  expect(await numbers(`limit=3&state=queued&queue=odd&${after}`, other)).toEqual([13, 15, 17]);
  for (const query of [
    after,
    `queue=even&state=queued&${after}`,
    `queue=odd&state=queued&cursor=${nextCursor}x`,
  ])
    expect(await api.http.call('GET', `/jobs?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_cursor' },
    });
});

test.each([
  ['search=stat:dead', 'unknown_qualifier', 'state'],
  ['search=state:ded', 'invalid_value', 'dead'],
  ['search=%22open', 'invalid_value', undefined],
  ['search=', 'invalid_value', undefined],
  [`search=${'a'.repeat(600)}`, 'invalid_value', undefined],
])('%s is refused with its place', async (query, code, suggestion) => {
  for (const path of ['/jobs', '/jobs/counts']) {
    const { status, body } = await api.http.call<ProblemJson>('GET', `${path}?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.errors[0]).toMatchObject({ pointer: '?search', code, ...(suggestion ? { suggestion } : {}) });
  }
});

test.each(['meta.=x', 'meta=x', 'meta.a%20b=x', 'meta.a=1&meta.a=2', 'sarch=x'])(
  '%s is refused',
  async (query) => {
    const { status, body } = await api.http.call<ProblemJson>('GET', `/jobs?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  },
);

test('counts by state have the filters of the list', async () => {
  const counts = async (query = '') => (await api.http.call<JobCounts>('GET', `/jobs/counts${query}`)).body;
  const all = await counts();
  expect(Object.keys(all.states)).toEqual([...JOB_STATES]);
  expect(all).toMatchObject({
    states: { scheduled: { value: 4, capped: false }, queued: { value: 20 }, dead: { value: 0 } },
    total: { value: COUNT, capped: false },
  });
  expect((await counts('?queue=odd')).total).toEqual({ value: 12, capped: false });
  expect((await counts('?search=input.user.id:6')).states.scheduled.value).toBe(1);
  expect((await counts('?state=queued&meta.tenant=t0')).total.value).toBe(2);
  const wrong = await api.http.call<ProblemJson>('GET', '/jobs/counts?limit=3');
  expect([wrong.status, wrong.body.errors[0]?.pointer]).toEqual([400, '?limit']);
});

test('a key for one queue finds and counts what is in it', async () => {
  const made = await api.http.call<{ key: string }>('POST', '/api-keys', {
    name: 'odd',
    role: 'viewer',
    queues: ['odd'],
  });
  const odd = api.as(made.body.key);
  expect((await numbers('search=mail', odd)).every((n) => n % 2 === 1)).toBe(true);
  expect(await numbers('queue=even', odd)).toEqual([]);
  expect(await numbers(`search=${ids[4]}`, odd)).toEqual([]);
  expect((await list('limit=3', odd)).total).toEqual({ value: COUNT / 2, capped: false });
  expect((await odd.call<JobCounts>('GET', '/jobs/counts')).body.total.value).toBe(COUNT / 2);
  const stats = (await odd.call<Stats>('GET', '/stats')).body;
  expect(stats).toMatchObject({ jobs: { queued: { value: 12 }, scheduled: { value: 0 } } });
  const all = (await api.http.call<Stats>('GET', '/stats')).body;
  expect(all).toMatchObject({
    jobs: { queued: { value: 20 }, scheduled: { value: 4 } },
    workers: { running: 0, slots: 0 },
    schedules: { active: 0, paused: 0, finished: 0, problem: 0 },
  });
  expect(all.queues.count).toBeGreaterThan(stats.queues.count);
});

test('who may see no inputs does not find out about them by searching', async () => {
  const made = await api.http.call<{ key: string }>('POST', '/api-keys', {
    name: 'blind',
    role: 'viewer',
    payloads: false,
  });
  const blind = api.as(made.body.key);
  for (const query of ['search=input.user.id:7', 'search=meta.tenant:t0', 'meta.tenant=t0'])
    for (const path of ['/jobs', '/jobs/counts'])
      expect(await blind.call('GET', `${path}?${query}`)).toMatchObject({
        status: 403,
        body: { code: 'payloads_hidden' },
      });
  expect((await list('search=queue:odd', blind)).items).toHaveLength(COUNT / 2);
});

test('where nothing is found, names of which nothing is known are told, with what was probably meant', async () => {
  await api.workerIsAlive('w1');
  await api.http.call('PUT', '/queues/mail', {});
  const schedule = { name: 'eu/nightly', when: { every: '1d' }, job: { task: 'other', input: {} } };
  expect((await api.http.call('POST', '/schedules', schedule)).status).toBe(201);
  const warned = async (query: string, http?: Http) => {
    const { items, warnings = [] } = await list(query, http);
    expect(items).toEqual([]);
    return warnings.map(({ code, suggestion }) => [code, suggestion]);
  };
  // What is known of tasks may be a second old.
  await expect.poll(() => warned('task=report.sent')).toEqual([['unknown_task', 'report.send']]);
  await expect.poll(() => warned('queue=mai&state=dead')).toEqual([['unknown_queue', 'mail']]);
  expect(await warned('search=schedule:eu/nigthly,other')).toEqual([
    ['unknown_schedule', 'eu/nightly'],
    ['unknown_schedule', undefined],
  ]);
  // To compare one name with all is enough for one answer.
  expect(await warned('search=schedule:eu/nigthly,eu/nigthli')).toEqual([
    ['unknown_schedule', 'eu/nightly'],
    ['unknown_schedule', undefined],
  ]);
  expect(await warned('search=queue:mail,od* task:report.send')).toEqual([]);
  expect(await warned('task=report.send&queue=mail&schedule=eu/nightly')).toEqual([]);
  // Whoever is for one queue is told of no others.
  const made = await api.http.call<{ key: string }>('POST', '/api-keys', {
    name: 'mails',
    role: 'viewer',
    queues: ['mail'],
  });
  const mails = api.as(made.body.key);
  for (const query of ['queue=odd', 'queue=odds'])
    expect(await warned(query, mails)).toEqual([['unknown_queue', undefined]]);
  expect(await warned('queue=mai&schedule=eu/nightly', mails)).toEqual([
    ['unknown_queue', 'mail'],
    ['unknown_schedule', undefined],
  ]);
});

test('who has changed nothing is told, with the id that was probably meant', async () => {
  const { body: key } = await api.http.call<{ id: string }>('POST', '/api-keys', {
    name: 'deploys',
    role: 'viewer',
  });
  const warned = async (query: string) => {
    const { body } = await api.http.call<Pick<JobPage, 'warnings'>>('GET', `/audit?${query}`);
    return (body.warnings ?? []).map(({ code, suggestion }) => [code, suggestion]);
  };
  expect(await warned('actor=frist')).toEqual([['unknown_actor', 'first']]);
  expect(await warned('actor=deploys')).toEqual([['unknown_actor', key.id]]);
  for (const query of [`actor=${key.id}`, 'actor=first&action=worker.stop', 'action=worker.stop'])
    expect(await warned(query)).toEqual([]);
});
