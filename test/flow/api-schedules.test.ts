import type { Schedule } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.stop());

const path = `/schedules/${encodeURIComponent('reports/nightly')}`;
const written = {
  name: 'reports/nightly',
  when: [{ cron: '0 3 * * *' }, { every: '90s', from: '2026-01-01T00:00:00.000Z' }],
  timeZone: 'Europe/Paris',
  job: { task: 'report.send', input: { to: 'a' }, queue: 'reports', retry: { attempts: 2, delay: '5s' } },
  overlap: 'allow',
  catchUp: { all: 3 },
  catchUpWindow: '2h',
};

test('made, read back as it was written, paused, resumed, deleted', async () => {
  const created = await api.http.call<Schedule>('POST', '/schedules', written);
  expect(created.status).toBe(201);
  expect(created.headers.get('location')).toBe(`/api/v1${path}`);
  expect(created.body).toMatchObject({ ...written, paused: null, lastOccurrence: null });
  expect(created.body.nextTimes).toHaveLength(5);
  expect((await api.http.call<ProblemJson>('POST', '/schedules', written)).body).toMatchObject({
    status: 409,
    code: 'schedule_exists',
  });
  const paused = await api.http.call<Schedule>('POST', `${path}/pause`, { note: 'holidays' });
  expect(paused.body).toMatchObject({
    paused: { by: 'first', note: 'holidays', until: null },
    nextTimes: [],
  });
  const resumed = await api.http.call<Schedule>('POST', `${path}/resume`);
  expect(resumed.body.paused).toBeNull();
  expect(resumed.body.nextTimes).toHaveLength(5);
  const occurrences = await api.http.call<{ items: unknown[] }>('GET', `${path}/occurrences`);
  expect([occurrences.status, occurrences.body]).toEqual([200, { items: [], nextCursor: null }]);
  expect((await api.http.call('DELETE', path)).status).toBe(204);
  for (const request of ['GET', 'DELETE'])
    expect((await api.http.call<ProblemJson>(request, path)).body).toMatchObject({
      code: 'schedule_not_found',
    });
  for (const verb of ['pause', 'resume'])
    expect((await api.http.call<ProblemJson>('POST', `${path}/${verb}`)).status).toBe(404);
});

test('listed by name, by pages', async () => {
  for (const name of ['c', 'a', 'b'])
    await api.http.call('POST', '/schedules', { name, when: { every: '1h' }, job: { task: 't', input: 1 } });
  const list = async (query: string) =>
    (await api.http.call<{ items: Schedule[]; nextCursor: string | null }>('GET', `/schedules${query}`)).body;
  const first = await list('?limit=2');
  const rest = await list(`?limit=2&cursor=${first.nextCursor}`);
  expect([first, rest].map(({ items }) => items.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
  expect(rest.nextCursor).toBeNull();
});
