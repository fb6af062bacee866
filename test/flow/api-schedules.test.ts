import { randomBytes } from 'node:crypto';
import { type ScheduleSpec, uuidV7 } from '@jetbeat/core';
import type { Forecast, OccurrencePage, Schedule } from '@jetbeat/core/http';
import { createSchedule, databaseTime } from '@jetbeat/postgres';
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
  when: [{ cron: '0 3 * * *' }, { every: '90m', from: '2026-01-01T00:00:00.000Z' }],
  timeZone: 'Europe/Paris',
  job: { task: 'report.send', input: { to: 'a' }, queue: 'reports', retry: { attempts: 2, delay: '5s' } },
  overlap: 'allow',
  catchUp: { all: 3 },
  catchUpWindow: '2h',
};

const NO_OCCURRENCES = { items: [], nextCursor: null, total: { value: 0, capped: false } };

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
  expect([occurrences.status, occurrences.body]).toEqual([200, NO_OCCURRENCES]);
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

test('what is large of a job is left out in a list, which says so', async () => {
  const job = { task: 't', input: { large: 'x'.repeat(5_000) }, meta: { small: 'y' } };
  await api.http.call('POST', '/schedules', { name: 'large', when: { every: '1h' }, job });
  const { body: list } = await api.http.call<{ items: Schedule[] }>('GET', '/schedules?search=large');
  const { body: whole } = await api.http.call<Schedule>('GET', '/schedules/large');
  expect(whole.job).toEqual(job);
  expect(list.items).toEqual([{ ...whole, job: { ...job, input: null }, cut: ['input'] }]);
  expect((await api.http.call('GET', '/forecast?task=t&to=2026-01-01T00:00:00Z')).status).toBe(400);
  const { body: seen } = await api.http.call<Forecast>('GET', '/forecast?task=t');
  expect(seen.items.filter(({ schedule }) => schedule === 'large').length).toBeGreaterThan(20);
});

test.each([
  ['no rule at all', { job: { task: 't', input: 1 } }],
  ['a rule that nobody knows', { when: { never: true }, job: { task: 't', input: 1 } }],
  ['a duration as a text', { when: { every: '10s' }, job: { task: 't', input: 1 } }],
  ['no job', { when: { cron: '0 3 * * *' } }],
  ['nothing', 'rubbish'],
])(
  'what somebody stored past the API is shown with its problem, and can be mended: %s',
  async (_name, stored) => {
    const now = await databaseTime(api.db);
    const name = `stored.${uuidV7(now, randomBytes(10))}`;
    const definition = stored as unknown as ScheduleSpec;
    await createSchedule(api.db, { id: uuidV7(now, randomBytes(10)), name, definition, now });
    const shown = await api.http.call<Schedule>('GET', `/schedules/${name}`);
    expect(shown.body).toMatchObject({ name, state: 'problem', problem: expect.any(String), nextTimes: [] });
    const { body: list } = await api.http.call<{ items: Schedule[] }>('GET', `/schedules?search=${name}`);
    expect(list.items).toEqual([shown.body]);
    const { body: page } = await api.http.call<OccurrencePage>(
      'GET',
      `/schedules/${name}/occurrences?from=2026-01-01T00:00:00Z`,
    );
    expect(page).toMatchObject({ items: [], explanation: expect.stringContaining('cannot be read') });
    for (const verb of ['trigger', 'backfill'])
      expect(
        (await api.http.call<ProblemJson>('POST', `/schedules/${name}/${verb}`, RANGE[verb])).body,
      ).toMatchObject({
        code: 'invalid_schedule',
      });
    expect((await api.http.call<Schedule>('GET', `/schedules/${name}/next`)).status).toBe(200);
    expect((await api.http.call<Schedule>('POST', `/schedules/${name}/pause`, {})).status).toBe(200);
    const { name: _, ...mended } = written;
    expect((await api.http.call<Schedule>('PUT', `/schedules/${name}`, mended)).body).toMatchObject({
      ...mended,
      version: 2,
      problem: null,
    });
  },
);

const RANGE: Record<string, object> = {
  trigger: {},
  backfill: { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' },
};
