import { readSettings } from '@jetbeat/core';
import type { JobRecord, NoticeCount } from '@jetbeat/postgres';
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
  ...{ id: `019ddd8e-0000-7000-8000-${String(count++).padStart(12, '0')}`, task: 'a.b', queue: 'q' },
  ...{ priority: 'normal', state: 'dead', order: 1, inputKnown: true, input: 1, losses: 0, published: true },
  ...{
    attempt: 1,
    run: 1,
    parks: 0,
    createdAt: NOW,
    runAt: NOW,
    dueAt: NOW,
    finishedAt: NOW,
    origin: 'client',
  },
  ...more,
});
const settings = readSettings({ tasks: { 'email.send': { queue: 'mail' } } });
const make = (jobs: JobRecord[], known: NoticeCount[] = [], now = NOW, rules = [rule]) =>
  makeNotices({ rules, settings, now }, jobs, known);
const subjects = ({ calls }: Awaited<ReturnType<typeof make>>) =>
  calls.map(({ envelope }) => (envelope.input as { subject: string }).subject);

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
  const ids = first.calls.map(({ envelope }) => envelope.id);
  expect(new Set(ids).size).toBe(4);
  expect(again.calls.map(({ envelope }) => envelope.id)).toEqual(ids);
  expect(first.calls[0]?.envelope).toMatchObject({
    ...{ task: 'email.send', queue: 'mail', parent: jobs[0]?.id, policy: { onFailure: [], onSuccess: [] } },
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
  expect(await make([], second.counts, NOW + 59_999)).toEqual({ calls: [], counts: [] });
  const third = await make([], second.counts, NOW + 60_000);
  expect(subjects(third)).toEqual(['Jetbeat: and 2 more jobs are dead']);
  expect(third.counts).toMatchObject([{ since: NOW + 60_000, sent: 0, held: 0 }]);
  // The first of the next period tells of what was left of the one before.
  const late = await make([job()], second.counts, NOW + 90_000);
  expect(subjects(late)).toEqual(['Jetbeat: and 2 more jobs are dead', 'Jetbeat: a.b is dead']);
  expect(late.counts).toMatchObject([{ since: NOW + 90_000, sent: 1, held: 0 }]);
  expect(third.calls[0]?.envelope.id).toBe(late.calls[0]?.envelope.id);
});

test('a webhook gets it as JSON', async () => {
  const { calls } = await make([job({ error: { name: 'E', message: 'm' } })], [], NOW, [
    { on: ['dead'], webhook: { url: 'https://example.org/hook', secret: 'it' }, rate: rule.rate },
  ]);
  expect(calls[0]?.envelope).toMatchObject({
    task: 'http.request',
    input: {
      ...{ method: 'POST', url: 'https://example.org/hook', sign: 'it' },
      body: { event: 'job.dead', job: { task: 'a.b', state: 'dead', error: { name: 'E', message: 'm' } } },
    },
  });
});
