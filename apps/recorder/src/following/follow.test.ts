import { callbackJobId, type JobEnvelope, project, readSettings, type Settings } from '@jetbeat/core';
import { type JobToPublish, publishJobs, type TellWithin } from '@jetbeat/jetstream';
import { calledBy, getJob, insertJobs, recordChanges, unmadeOf } from '@jetbeat/postgres';
import type { NoticeRule } from '@jetbeat/runtime';
import { expect, test } from 'vitest';
import {
  createRecorderBench,
  newJob,
  type RecorderBench,
  settledEvent,
  traceparent,
} from '../../../../test/support/recorder.ts';
import { createFollow } from './follow.ts';

const rule = (to: string): NoticeRule => ({
  on: ['dead'],
  email: { to: [to] },
  rate: { limit: 10, periodMs: 60_000 },
});
const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api', state: 'queued' } as const;
const silent = () => {};

/** Settings that fail for one task, as nothing should and something once will. */
function brokenFor(name: string): Settings {
  const settings = readSettings({});
  return {
    ...settings,
    of(task) {
      if (task === name) throw new TypeError('it is broken');
      return settings.of(task);
    },
  };
}

async function ended(
  { db }: RecorderBench,
  state: 'dead' | 'succeeded',
  jobs: readonly JobEnvelope[],
): Promise<void> {
  await insertJobs(
    db,
    jobs.map((envelope) => ({ ...row, envelope })),
  );
  const reason = { code: 'rejected', text: 'no' };
  const next = state === 'dead' ? { state, reason } : { state };
  const outcome = state === 'dead' ? ('failed' as const) : ('succeeded' as const);
  const events = jobs.map((job) => ({ ...settledEvent(job), outcome, next }));
  await recordChanges(db, { changes: project(events), workers: [], now: Date.now() });
}

function followOf(
  { db, bus }: RecorderBench,
  settings: Settings,
  rules: readonly NoticeRule[],
  tell: TellWithin = async () => undefined,
) {
  const errors: object[] = [];
  const published: string[] = [];
  const publish = (jobs: readonly JobToPublish[]) => {
    published.push(...jobs.map(({ envelope }) => envelope.id));
    return publishJobs(bus, jobs);
  };
  const log = { debug: silent, info: silent, warn: silent, error: (data: object) => errors.push(data) };
  const follow = createFollow({
    db,
    publish,
    tell,
    settings,
    rules,
    log,
    graceMs: -60_000,
    limit: 100,
  });
  return { follow, errors, published };
}

test('a job whose callback or notice always fails holds up neither the others nor what else follows it', async () => {
  const bench = await createRecorderBench();
  const onFailure = [{ task: 'bad.task' }, { task: 'good.task' }];
  const bad = newJob({ policy: { onFailure } });
  const good = newJob({ policy: { onFailure: [{ task: 'good.task' }] } });
  // Its own settings cannot be read, so nobody knows what follows it.
  const worst = newJob({ task: 'bad.task' });
  await ended(bench, 'dead', [bad, worst, good]);
  const { follow, errors, published } = followOf(bench, brokenFor('bad.task'), [rule('a@example.org')]);
  expect(await follow.pass()).toEqual({ looked: 3, made: 5, unmade: 2 });
  const err = expect.objectContaining({ message: 'it is broken' });
  expect(errors).toHaveLength(2);
  expect(errors).toContainEqual({ job: bad.id, what: 'onFailure:0', err });
  expect(errors).toContainEqual({ job: worst.id, what: 'onFailure', err });
  expect((await calledBy(bench.db, { id: bad.id, state: 'dead' })).map(({ task }) => task)).toEqual([
    'good.task',
  ]);
  expect((await calledBy(bench.db, { id: good.id, state: 'dead' })).map(({ task }) => task)).toEqual([
    'good.task',
  ]);
  expect(new Set(published).size).toBe(5);
  expect(await unmadeOf(bench.db, bad.id)).toMatchObject([
    { what: 'onFailure:0', tries: 1, error: 'TypeError: it is broken' },
  ]);
  // Not in every pass.
  expect(await follow.pass()).toEqual({ looked: 0, made: 0, unmade: 0 });
});

test('a rule that always fails leaves the notices of the others alone', async () => {
  const bench = await createRecorderBench();
  const jobs = [newJob(), newJob()];
  await ended(bench, 'dead', jobs);
  const hook: NoticeRule = { on: ['dead'], webhook: { url: 'https://example.org' }, rate: rule('').rate };
  const rules = [rule('a@example.org'), hook];
  const { follow, errors, published } = followOf(bench, brokenFor('email.send'), rules);
  expect(await follow.pass()).toEqual({ looked: 2, made: 2, unmade: 2 });
  const what = expect.stringMatching(/^notice:/);
  for (const { id } of jobs) expect(errors).toContainEqual(expect.objectContaining({ job: id, what }));
  const tasks = await Promise.all(published.map(async (id) => (await getJob(bench.db, id))?.task));
  expect(tasks).toEqual(['http.request', 'http.request']);
});

test('whoever asks after jobs that have succeeded is answered, although one callback always fails', async () => {
  const bench = await createRecorderBench();
  const [bad, good] = ['bad.task', 'good.task'].map((task) => newJob({ policy: { onSuccess: [{ task }] } }));
  const worst = newJob({ task: 'bad.task' });
  if (!bad || !good) throw new Error('no jobs');
  await ended(bench, 'succeeded', [bad, good, worst]);
  const ids = [bad.id, worst.id, good.id];
  const first = followOf(bench, brokenFor('bad.task'), []);
  await first.follow.succeeded(ids);
  expect(first.published).toEqual([callbackJobId(good.id, 'onSuccess', 0)]);
  expect(await unmadeOf(bench.db, bad.id)).toMatchObject([{ what: 'onSuccess:0', tries: 1 }]);
  expect(await unmadeOf(bench.db, worst.id)).toMatchObject([{ what: 'onSuccess', tries: 1 }]);
  // Whoever asks again meets a mended one.
  const later = followOf(bench, readSettings({}), []);
  await later.follow.succeeded(ids);
  expect(later.published).toEqual([callbackJobId(bad.id, 'onSuccess', 0)]);
});

test('what follows is left to reconcile to tell of where it cannot be told of now, and where it is is known', async () => {
  const bench = await createRecorderBench();
  const job = newJob({ policy: { onSuccess: [{ task: 'good.task' }] } });
  await ended(bench, 'succeeded', [job]);
  const away = async () => new Error('EVENTS is away');
  await followOf(bench, readSettings({}), [], away).follow.succeeded([job.id]);
  const called = await getJob(bench.db, callbackJobId(job.id, 'onSuccess', 0));
  expect(called).toMatchObject({ seq: expect.any(Number), published: false });
});
