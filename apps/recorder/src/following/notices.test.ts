import { type Call, readSettings } from '@jetbeat/core';
import type { Followed, JobRecord, NewJob, NoticeCount } from '@jetbeat/postgres';
import type { NoticeRule } from '@jetbeat/runtime';
import { expect, test } from 'vitest';
import { concerns, makeNotices } from './notices.ts';

const NOW = Date.UTC(2026, 4, 4);
const rule: NoticeRule = {
  on: ['dead'],
  email: { to: ['a@example.org'] },
  rate: { limit: 2, periodMs: 60_000 },
};
let count = 0;
const job = (more: Partial<JobRecord> = {}): JobRecord => ({
  id: `019ddd8e-0000-7000-8000-${String(count++).padStart(12, '0')}`,
  task: 'a.b',
  queue: 'q',
  priority: 'normal',
  state: 'dead',
  order: 1,
  inputKnown: true,
  input: 1,
  losses: 0,
  published: true,
  attempt: 1,
  run: 1,
  parks: 0,
  createdAt: NOW,
  runAt: NOW,
  dueAt: NOW,
  finishedAt: NOW,
  origin: 'client',
  ...more,
});
const settings = readSettings({ tasks: { 'email.send': { queue: 'mail' } } });
const newJob = ({ envelope }: Call): NewJob => ({
  envelope,
  state: 'queued',
  totalLimitMs: 1,
  origin: 'notice',
});
const make = (jobs: JobRecord[], known: readonly NoticeCount[] = [], now = NOW, rules = [rule]) => {
  const ended = jobs.map((one) => ({ job: one }));
  return makeNotices({ rules, settings, now, newJob }, ended, known);
};
const envelopes = ({ follows }: Followed) => follows.map(({ job: { envelope } }) => envelope);
const subjects = (made: Followed) =>
  envelopes(made).map(({ input }) => (input as { subject: string }).subject);

test('a rule concerns the states, tasks and queues that it names, and never what brings notices', () => {
  expect(concerns(rule, job())).toBe(true);
  expect(concerns(rule, job({ state: 'expired' }))).toBe(false);
  expect(concerns({ ...rule, task: 'a.*', queue: 'q' }, job())).toBe(true);
  expect(concerns({ ...rule, task: 'b.*' }, job())).toBe(false);
  expect(concerns({ ...rule, queue: 'mail-*' }, job())).toBe(false);
  expect(concerns(rule, job({ origin: 'notice' }))).toBe(false);
  expect(concerns(rule, job({ origin: 'callback' }))).toBe(true);
});

test('one for each job and rule, under the same id whoever makes it; its job goes where it is sent to', async () => {
  const other: NoticeRule = { ...rule, on: ['dead', 'expired'] };
  const jobs = [job(), job()];
  const first = await make(jobs, [], NOW, [rule, other]);
  const again = await make(jobs, [], NOW + 5, [rule, other]);
  const ids = envelopes(first).map(({ id }) => id);
  expect(new Set(ids).size).toBe(4);
  expect(envelopes(again).map(({ id }) => id)).toEqual(ids);
  expect(envelopes(first)[0]).toMatchObject({
    task: 'email.send',
    queue: 'mail',
    parent: jobs[0]?.id,
    policy: { onFailure: [], onSuccess: [] },
    input: { to: ['a@example.org'], subject: 'Jetbeat: a.b is dead' },
  });
});

test('beyond its rate a rule counts, and tells at the end of the period how many there were', async () => {
  const first = await make([job(), job(), job()]);
  expect(subjects(first)).toHaveLength(2);
  expect(first.counts).toMatchObject([{ since: NOW, until: NOW + 60_000, sent: 2, held: 1 }]);
  const second = await make([job()], first.counts, NOW + 1_000);
  expect(subjects(second)).toEqual([]);
  expect(second.counts).toMatchObject([{ sent: 2, held: 2 }]);
  expect(await make([], second.counts, NOW + 59_999)).toEqual({ follows: [], unmade: [], counts: [] });
  const third = await make([], second.counts, NOW + 60_000);
  expect(subjects(third)).toEqual(['Jetbeat: and 2 more jobs are dead']);
  expect(third.counts).toMatchObject([{ since: NOW + 60_000, sent: 0, held: 0 }]);
  // The first of the next period tells of what was left of the one before.
  const late = await make([job()], second.counts, NOW + 90_000);
  expect(subjects(late)).toEqual(['Jetbeat: and 2 more jobs are dead', 'Jetbeat: a.b is dead']);
  expect(late.counts).toMatchObject([{ since: NOW + 90_000, sent: 1, held: 0 }]);
  expect(envelopes(third)[0]?.id).toBe(envelopes(late)[0]?.id);
});

test('a webhook gets it as JSON', async () => {
  const made = await make([job({ error: { name: 'E', message: 'm' } })], [], NOW, [
    { on: ['dead'], webhook: { url: 'https://example.org/hook', secret: 'it' }, rate: rule.rate },
  ]);
  expect(envelopes(made)[0]).toMatchObject({
    task: 'http.request',
    input: {
      method: 'POST',
      url: 'https://example.org/hook',
      sign: 'it',
      body: { event: 'job.dead', job: { task: 'a.b', state: 'dead', error: { name: 'E', message: 'm' } } },
    },
  });
});

test('what cannot be made is said, takes nothing of the rate, and leaves the others alone', async () => {
  const bad = job({ createdAt: Number.NEGATIVE_INFINITY });
  const good = job();
  const made = await make([bad, good]);
  expect(made.unmade).toEqual([
    { job: bad.id, what: expect.stringMatching(/^notice:/), error: expect.any(RangeError) },
  ]);
  expect(made.follows).toMatchObject([{ of: good.id }]);
  expect(made.counts).toMatchObject([{ sent: 1, held: 0 }]);
  // When it is tried again, only what is missing is made.
  const what = made.unmade[0]?.what ?? '';
  const again = (only: string[]) =>
    makeNotices(
      ...([{ rules: [rule], settings, now: NOW, newJob }, [{ job: good, only: new Set(only) }]] as const),
      made.counts,
    );
  expect((await again(['onFailure:0'])).follows).toEqual([]);
  expect((await again([what])).follows).toMatchObject([{ of: good.id, what }]);
});

test('how many more there were is not forgotten when it cannot be told at once', async () => {
  const first = await make([job(), job(), job()]);
  const [count] = first.counts as [NoticeCount];
  const broken = () => {
    throw new Error('broken');
  };
  const failed = await makeNotices(
    ...([{ rules: [rule], settings, now: NOW + 60_000, newJob: broken }, [], first.counts] as const),
  );
  expect(failed).toMatchObject({ follows: [], unmade: [{ job: undefined }] });
  expect(failed.counts).toEqual([{ ...count, until: NOW + 120_000, sent: 0 }]);
  expect(subjects(await make([], failed.counts, NOW + 120_000))).toEqual(['Jetbeat: and 1 more job is dead']);
});
