import { ApiProblemError, ApiUnreachableError, connectHttp, type HttpClient } from '@jetbeat/client/http';
import type { Occurrence } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import { waitUntil } from '../support/wait-until.ts';

let group: AppGroup;
let client: HttpClient;
beforeAll(async () => {
  group = await startAppGroup();
  client = connectHttp({ url: group.http.url, apiKey: group.apiKey });
  await Promise.all([
    ...[group.start('api'), group.start('scheduler'), group.start('recorder')],
    group.start('worker'),
  ]);
}, 120_000);
afterAll(() => group?.stop(), 60_000);

const name = 'life/beat';
const schedule = {
  name,
  when: { every: '1s' },
  job: { task: 'system.echo', input: { said: 'first' } },
  overlap: 'allow' as const,
  labels: { team: 'media' },
};

/** Waits until the ledger has so many occurrences of this kind. */
function ledger(query: Parameters<typeof client.schedules.occurrences>[1], count = 1): Promise<Occurrence[]> {
  return waitUntil(`${count} occurrences of ${JSON.stringify(query)}`, async () => {
    const { items } = await client.schedules.occurrences(name, query);
    return items.length >= count && items;
  });
}

test('a schedule from its creation over edit, pause, trigger and backfill to its ledger, by HTTP alone', async () => {
  const { schedules } = client;
  const made = await schedules.put(schedule);
  expect(made).toMatchObject({ name, version: 1, state: 'active', labels: { team: 'media' } });
  const [first] = (await ledger({ state: ['dispatched'] }, 2)).toReversed();
  expect(await group.http.jobIn(first?.jobId ?? '', ['succeeded'])).toMatchObject({
    result: { said: 'first' },
  });

  // Edited: what comes after it is of the new kind, and the one who had read the old one is told.
  const edited = await schedules.patch(
    name,
    { job: { input: { said: 'second' } } },
    { version: made.version },
  );
  expect(edited).toMatchObject({ version: 2, job: { input: { said: 'second' } } });
  const later = await ledger({ state: ['dispatched'], from: edited.updatedAt });
  expect(await group.http.jobIn(later.at(-1)?.jobId ?? '', ['succeeded'])).toMatchObject({
    result: { said: 'second' },
  });
  const stale = schedules.put({ ...schedule, overlap: 'skip' }, { version: 1 });
  await expect(stale).rejects.toThrow(ApiProblemError);
  await expect(stale).rejects.toMatchObject({
    code: 'stale',
    status: 409,
    problem: { current: { version: 2, schedule: { job: { input: { said: 'second' } } } } },
  });

  // Paused: its times are passed by, with the note as the reason; a run asked for by hand goes on.
  const paused = await schedules.pause(name, { note: 'maintenance', until: '2030-01-01T00:00:00Z' });
  expect(paused).toMatchObject({ state: 'paused', nextTimes: [] });
  expect(paused.paused).toMatchObject({ note: 'maintenance', until: '2030-01-01T00:00:00.000Z' });
  const triggered = await schedules.trigger(name, { input: { said: 'by hand' } }, { key: 'key-1' });
  expect(await group.http.jobIn(await begun(triggered.jobId), ['succeeded'])).toMatchObject({
    result: { said: 'by hand' },
    schedule: { name, origin: triggered.occurrence.origin },
  });
  expect((await schedules.trigger(name, { input: { said: 'by hand' } }, { key: 'key-1' })).jobId).toBe(
    triggered.jobId,
  );
  const missed = await waitUntil('a row stands for three times of the pause', async () => {
    const { items } = await schedules.occurrences(name, { state: ['skipped'] });
    return items.find(({ count = 1, reason }) => reason?.code === 'paused' && count >= 3);
  });
  expect(missed.reason?.text).toContain('maintenance');
  // Why did it not run then? A time in the midst of the row is answered by the row.
  const midst = new Date(Date.parse(missed.nominalTime) + 1_000).toISOString();
  const { items: why } = await schedules.occurrences(name, { from: midst, to: midst, origin: 'plan' });
  expect(why).toMatchObject([
    { nominalTime: missed.nominalTime, state: 'skipped', reason: { code: 'paused' } },
  ]);

  const resumed = await schedules.resume(name);
  expect(resumed).toMatchObject({ state: 'active', paused: null });
  await ledger({ state: ['dispatched'], from: resumed.updatedAt, origin: 'plan' });
  await schedules.pause(name, { note: 'enough' });
  // Until it went on the row had grown with each time.
  const { items: passed } = await schedules.occurrences(name, { from: midst, to: midst, origin: 'plan' });

  // Backfilled: what fell into the pause is run after all, and the rows of the pause stay.
  const range = { from: missed.nominalTime, to: missed.to ?? '' };
  const tried = await schedules.backfill(name, { ...range, dryRun: true });
  expect(tried).toMatchObject({ origin: null, count: missed.count, first: range.from, last: range.to });
  const { origin } = await schedules.backfill(name, range);
  const filled = await ledger({ origin: origin ?? '', state: ['dispatched'] }, tried.count);
  expect(filled.map(({ nominalTime }) => nominalTime).toReversed()).toEqual(tried.times);
  for (const { jobId = '' } of filled) await group.http.jobIn(jobId, ['succeeded']);
  expect((await schedules.occurrences(name, { from: midst, to: midst, origin: 'plan' })).items).toEqual(
    passed,
  );

  // The ledger: no time of its rule is without a row.
  const rows = (await ledger({ origin: 'plan', limit: 200 })).toReversed();
  const times = rows.flatMap(({ nominalTime, count = 1 }) =>
    Array.from({ length: count }, (_, index) => Date.parse(nominalTime) + index * 1_000),
  );
  const [begin = 0] = times;
  expect(times).toEqual(times.map((_, index) => begin + index * 1_000));

  await schedules.delete(name);
  await expect(schedules.get(name)).rejects.toMatchObject({ code: 'schedule_not_found' });
}, 60_000);

test('one that has no time left is finished, can still be run by hand, and begins anew with another rule', async () => {
  const { schedules } = client;
  const once = { name: 'life/once', job: { task: 'system.echo', input: 1 } };
  const failing = {
    name: 'life/failing',
    when: { every: '1s' },
    overlap: 'allow' as const,
    pauseAfterFailures: 2,
    job: { task: 'http.request', input: { url: 'http://127.0.0.1:1/' }, retry: { attempts: 1 } },
  };
  await schedules.put(failing);
  await schedules.put({ ...once, when: { every: '1s' }, maxRuns: 1 });
  const finished = await waitUntil('it is finished', async () => {
    const found = await schedules.get(once.name);
    return found.state === 'finished' && found;
  });
  expect(finished).toMatchObject({ nextTimes: [], finished: expect.any(String) });
  expect(finished.lastOccurrence).toMatchObject({ state: expect.stringMatching(/due|dispatched/) });
  expect((await schedules.list({ state: ['finished'] })).items.map(({ name: one }) => one)).toEqual([
    once.name,
  ]);
  const { jobId } = await schedules.trigger(once.name);
  await group.http.jobIn(await begun(jobId), ['succeeded']);
  const again = await schedules.put({ ...once, when: { at: '2030-01-01T00:00:00Z' } });
  expect(again).toMatchObject({ state: 'active', finished: null, nextTimes: ['2030-01-01T00:00:00.000Z'] });
  expect((await schedules.occurrences(once.name, { origin: 'plan' })).items).toHaveLength(1);

  const stopped = await waitUntil('what fails is paused', async () => {
    const found = await schedules.get(failing.name);
    return found.paused !== null && found;
  });
  expect(stopped).toMatchObject({ state: 'paused', paused: { by: 'jetbeat' } });
  expect(stopped.paused?.note).toMatch(/^2 runs in a row failed, last: job [0-9a-f-]{36} \(.+\)$/);
  expect(await schedules.resume(failing.name)).toMatchObject({ state: 'active', paused: null });
});

/** The job of a trigger is made in a moment. */
function begun(jobId: string): Promise<string> {
  return waitUntil(`job ${jobId} is made`, async () => {
    const { status } = await group.http.call('GET', `/jobs/${jobId}`);
    return status === 200 && jobId;
  });
}

test('the client lists over pages, previews, and says what does not answer', async () => {
  const { schedules } = client;
  const job = { task: 'system.echo', input: 1 };
  const names = ['page/a', 'page/b', 'page/c'];
  await schedules.createMany(names.map((one) => ({ name: one, when: { cron: '0 3 * * *' }, job })));
  const found: string[] = [];
  for await (const one of schedules.all({ search: 'page/', limit: 2 })) found.push(one.name);
  expect(found).toEqual(names);
  const { items } = await schedules.preview({ when: { daily: { hour: 3 } }, count: 2 });
  expect((await schedules.next('page/a', { count: 2 })).items).toEqual(items);
  expect((await schedules.forecast({ task: 'system.echo' })).items).toHaveLength(3);
  await expect(schedules.create({ name: 'page/a', when: { every: '1m' }, job })).rejects.toMatchObject({
    code: 'schedule_exists',
    status: 409,
  });
  const nowhere = connectHttp({ url: 'http://127.0.0.1:1', apiKey: 'x' });
  await expect(nowhere.schedules.get('a')).rejects.toThrow(ApiUnreachableError);
});
