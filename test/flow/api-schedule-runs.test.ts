import type {
  Backfill,
  Forecast,
  OccurrencePage,
  PreviewAnswer,
  Problem,
  Schedule,
  Triggered,
} from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';

// Nobody dispatches here: what is asked for stays as it was asked for.
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.workerIsAlive('w1');
  for (const name of ['runs', 'paused']) await api.http.call('POST', '/schedules', { name, ...hourly });
});
afterAll(() => api?.stop());

const hourly = {
  when: { cron: '0 * * * *' },
  timeZone: 'Europe/Paris',
  job: { task: 'report.send', input: { to: 'a' }, queue: 'reports' },
};
const post = <T>(path: string, body: object, headers?: Record<string, string>) =>
  api.http.call<T & Problem>('POST', path, body, headers);
const occurrences = async (query: string) =>
  (await api.http.call<OccurrencePage>('GET', `/schedules/runs/occurrences?${query}`)).body;

test('triggered: due at once under an origin of its own, as often as it is asked with another key', async () => {
  const first = await post<Triggered>('/schedules/runs/trigger', {}, { 'Idempotency-Key': 'one' });
  expect(first.status).toBe(202);
  expect(first.body).toMatchObject({
    occurrence: { state: 'due', origin: expect.stringMatching(/^trigger:[0-9a-f-]{36}$/) },
    warnings: [],
  });
  expect(first.headers.get('location')).toBe(`/api/v1/jobs/${first.body.jobId}`);
  const again = await post<Triggered>('/schedules/runs/trigger', {}, { 'Idempotency-Key': 'one' });
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  expect(again.body).toEqual(first.body);
  const other = await post<Triggered>(
    '/schedules/runs/trigger',
    { input: { to: 'b' } },
    { 'Idempotency-Key': 'one' },
  );
  expect(other.body).toMatchObject({ status: 422, code: 'key_reused' });
  const elsewhere = await post<Triggered>('/schedules/paused/trigger', {}, { 'Idempotency-Key': 'one' });
  expect(elsewhere.body).toMatchObject({ status: 422, code: 'key_reused' });
  await post('/schedules/runs/trigger', { input: { to: 'b' }, overlap: 'skip' });
  expect((await occurrences('origin=trigger')).items).toHaveLength(2);
  expect((await occurrences(`origin=${first.body.occurrence.origin}`)).items).toEqual([
    first.body.occurrence,
  ]);
});

test('a trigger is checked as a job is, and works while the schedule is paused', async () => {
  await post('/schedules/paused/pause', { note: 'maintenance' });
  expect((await post('/schedules/paused/trigger', {})).status).toBe(202);
  expect((await post('/schedules/paused/trigger', { input: { from: 'a' } })).body).toMatchObject({
    status: 422,
    code: 'invalid_input',
    errors: [{ pointer: '/input/to', code: 'missing_field' }],
  });
  expect((await post('/schedules/paused/trigger', { overlaps: 'skip' })).body).toMatchObject({
    errors: [{ pointer: '/overlaps', suggestion: 'overlap' }],
  });
  expect((await post('/schedules/none/trigger', {})).body.code).toBe('schedule_not_found');
  const key = { 'Idempotency-Key': 'a b' };
  expect((await post('/schedules/paused/trigger', {}, key)).body).toMatchObject({
    code: 'invalid_request',
    errors: [{ pointer: 'idempotency-key' }],
  });
});

test('backfilled: tried first, then each time of its rule is due once, one after the other', async () => {
  // The hour that comes twice is there twice.
  const range = { from: '2025-10-25T22:00:00Z', to: '2025-10-26T02:00:00Z' };
  const path = '/schedules/runs/backfill';
  const tried = await post<Backfill>(path, { ...range, dryRun: true });
  const times = [22, 23, 24, 25, 26].map((hour) => new Date(Date.UTC(2025, 9, 25, hour)).toISOString());
  expect([tried.status, tried.body]).toEqual([
    200,
    expect.objectContaining({ origin: null, count: 5, first: times[0], last: times[4], times }),
  ]);
  expect((await occurrences('origin=backfill')).items).toEqual([]);
  const asked = { ...range, spread: '10m' };
  const done = await post<Backfill>(path, asked, { 'Idempotency-Key': 'two' });
  expect([done.status, done.body.count]).toEqual([202, 5]);
  const spread = Date.parse(done.body.until ?? '') - Date.now();
  expect(spread).toBeGreaterThan(2_390_000);
  const again = await post<Backfill>(path, asked, { 'Idempotency-Key': 'two' });
  expect([again.headers.get('idempotent-replayed'), again.body.origin]).toEqual(['true', done.body.origin]);
  const rows = (await occurrences(`origin=${done.body.origin}`)).items;
  expect(rows.map(({ nominalTime, state }) => [nominalTime, state])).toEqual(
    times.toReversed().map((time) => [time, 'due']),
  );
  const reused = await post(path, { ...asked, overlap: 'skip' }, { 'Idempotency-Key': 'two' });
  expect(reused.body.code).toBe('key_reused');
});

test.each([
  ['what is to come', { from: '2026-01-01T00:00:00Z', to: '2036-01-01T00:00:00Z' }, '/to', 'still to come'],
  ['an end before the begin', { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, '/from', 'after'],
  [
    'more than one can have',
    { from: '2000-01-01T00:00:00Z', to: '2010-01-01T00:00:00Z' },
    '/to',
    '87673 runs',
  ],
  ['a time without a zone', { from: '2000-01-01', to: '2010-01-01T00:00:00Z' }, '/from', 'RFC 3339'],
])('a backfill of %s is refused', async (_name, body, pointer, words) => {
  const { body: problem } = await post('/schedules/runs/backfill', body);
  expect(problem).toMatchObject({
    status: 400,
    errors: [{ pointer, message: expect.stringContaining(words) }],
  });
});

test('a range without a time backfills nothing', async () => {
  const range = { from: '2025-01-01T00:10:00Z', to: '2025-01-01T00:50:00Z' };
  const { body } = await post<Backfill>('/schedules/runs/backfill', range);
  expect(body).toEqual({ origin: null, count: 0, first: null, last: null, times: [], until: null });
});

test('the forecast merges the next times of all that fire, and says up to where it is whole', async () => {
  const group = `forecast.${Date.now()}`;
  const job = { task: group, input: 1 };
  const make = (name: string, fields: object) =>
    post('/schedules', { name: `${group}.${name}`, job, ...fields });
  const to = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 3 * 3_600_000 + 1_000).toISOString();
  await make('hours', { when: { cron: '0 * * * *' } });
  await make('half', { when: { cron: '30 * * * *' }, maxRuns: 2 });
  await make('paused', { when: { cron: '15 * * * *' } });
  await post(`/schedules/${group}.paused/pause`, {});
  const look = async (query: string) =>
    (await api.http.call<Forecast>('GET', `/forecast?task=${group}&${query}`)).body;
  const seen = await look(`to=${to}`);
  expect(seen).toMatchObject({ truncated: false, until: to });
  const of = (name: string) => seen.items.filter(({ schedule }) => schedule === `${group}.${name}`).length;
  expect([of('half'), of('paused')]).toEqual([2, 0]);
  expect(of('hours')).toBeGreaterThanOrEqual(4);
  expect(seen.items).toEqual(seen.items.toSorted((a, b) => (a.nominalTime < b.nominalTime ? -1 : 1)));
  await make('seconds', { when: { every: '1s' } });
  const cut = await look(`to=${to}`);
  expect(cut.truncated).toBe(true);
  expect(cut.items.length).toBeGreaterThan(900);
  expect(cut.items.length).toBeLessThanOrEqual(1_000);
  expect(Date.parse(cut.until) - Date.parse(cut.items.at(-1)?.nominalTime ?? '')).toBe(999);
  expect((await api.http.call('GET', '/forecast?to=2020-01-01T00:00:00Z')).status).toBe(400);
});

test('next times and a preview are told by the same rule', async () => {
  const { body: next } = await api.http.call<PreviewAnswer>('GET', '/schedules/runs/next?count=3');
  const { body: shown } = await api.http.call<Schedule>('GET', '/schedules/runs');
  expect(next.items.map(({ nominalTime }) => nominalTime)).toEqual(shown.nextTimes.slice(0, 3));
  const { job: _, ...rule } = hourly;
  const { body: preview } = await post<PreviewAnswer>('/schedules/preview', { ...rule, count: 3 });
  expect(preview.items).toEqual(next.items);
});

test.each([
  [
    'between two of its times',
    'from=2040-01-01T00:10:00Z&to=2040-01-01T00:20:00Z',
    /no time then: .*2040-01-01T00:00:00/,
  ],
  ['before it was made', 'from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z', /was made later/],
  ['in the future', 'from=2040-01-01T01:00:00Z&to=2040-01-01T01:00:00Z', /still to come/],
])('where nothing is found %s, it is said why', async (_name, query, words) => {
  const { items, explanation } = await occurrences(`${query}&limit=1`);
  expect([items, explanation]).toEqual([[], expect.stringMatching(words)]);
});
