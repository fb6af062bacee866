import { randomUUID } from 'node:crypto';
import type { EndedEvent, UniqueAsk } from '@jetbeat/core';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishJobs } from '../publishing/publish-jobs.ts';
import { timerSubject } from '../streams/names.ts';
import { ensureTopology } from '../streams/topology.ts';
import { testJob } from '../testing.ts';
import { findMessage } from '../waiting/find-message.ts';
import { claimKey, clearReplaced, giveUpKey, noteWaiting, releaseKey, takeKey } from './unique-keys.ts';
import { applyReview, listNotes, noteOf } from './unique-review.ts';

async function bench() {
  const namespace = testNamespace();
  const open = async () => {
    const bus = await connectBus({ servers: natsUrl(), name: 'test', namespace });
    onTestFinished(() => bus.close());
    return bus;
  };
  const bus = await open();
  await ensureTopology(bus, { ...testTopology, queues: ['default'] });
  return { bus, open };
}

const ask = (facts: Partial<UniqueAsk> = {}): UniqueAsk => ({
  key: 'k',
  scope: 'task',
  mode: 'unfinished',
  onConflict: 'existing',
  ...facts,
});
/** Of what history is told here, nobody wants to know. */
const NOBODY = { publish: async () => {} };
const keyed = (facts: Partial<UniqueAsk> = {}) => {
  const { key, scope, mode } = ask(facts);
  return testJob({ unique: { key, scope, mode } });
};

test('of 50 that want a key at once one gets it, and the others are told who, twenty times over', async () => {
  const { bus, open } = await bench();
  const buses = [bus, ...(await Promise.all(Array.from({ length: 4 }, open)))];
  for (let round = 0; round < 20; round++) {
    const key = `round ${round}`;
    const jobs = Array.from({ length: 50 }, () => keyed({ key }));
    const answers = await Promise.all(
      jobs.map((job, index) => takeKey(buses[index % 5] ?? bus, { ask: ask({ key }), job, now: Date.now() })),
    );
    const created = answers.filter(({ answer }) => answer === 'created');
    expect(created).toHaveLength(1);
    expect(answers.filter(({ answer }) => answer === 'existing')).toHaveLength(49);
    expect(new Set(answers.map(({ holder }) => holder.id)).size).toBe(1);
  }
  expect((await listNotes(bus, { from: 1, limit: 100 })).notes).toHaveLength(20);
}, 60_000);

test('of 50 that replace one another one is left, and each of the others was replaced once', async () => {
  const { bus } = await bench();
  const replace = ask({ onConflict: 'replace' });
  const ended: EndedEvent[] = [];
  const teller = { publish: async (event: EndedEvent) => void ended.push(event) };
  const answers = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const job = keyed();
      const taken = await takeKey(bus, { ask: replace, job, now: Date.now() });
      if (taken.answer !== 'existing') await clearReplaced(bus, teller, { job, now: Date.now() });
      return { job, ...taken };
    }),
  );
  const unique = { key: 'k', scope: 'task', mode: 'unfinished' } as const;
  const { note } = await noteOf(bus, { unique, task: 'test.noop', queue: 'default' });
  expect(note?.replaces).toBeUndefined();
  const stored = answers.filter(({ answer }) => answer !== 'existing').map(({ job }) => job.id);
  const gone = new Set(ended.map((event) => event.job));
  expect(stored.filter((id) => !gone.has(id))).toEqual([note?.holder.id]);
  const last = answers.find(({ job }) => job.id === note?.holder.id)?.job;
  for (const { job } of answers)
    expect(await claimKey(bus, NOBODY, { job: job, now: Date.now() })).toMatchObject({
      may: job === last ? 'run' : 'yield',
    });
}, 60_000);

test('who takes a place clears it away; its timer is gone, and history hears of it', async () => {
  const { bus } = await bench();
  const first = keyed();
  const second = keyed();
  await takeKey(bus, { ask: ask(), job: first, now: Date.now() });
  await publishJobs(bus, [{ envelope: first, at: Date.now() + 60_000 }]);
  const taken = await takeKey(bus, { ask: ask({ onConflict: 'replace' }), job: second, now: Date.now() });
  expect(taken).toMatchObject({ answer: 'replaced', replaces: [{ id: first.id }] });
  // Until it is stored, the first one is neither lost nor run.
  expect(await claimKey(bus, NOBODY, { job: first, now: Date.now() })).toEqual({ may: 'wait' });
  const ended: EndedEvent[] = [];
  const teller = { publish: async (event: EndedEvent) => void ended.push(event) };
  await clearReplaced(bus, teller, { job: second, now: Date.now() });
  expect(await findMessage(bus, { subject: timerSubject(bus, first.id) })).toBeUndefined();
  expect(ended).toMatchObject([{ job: first.id, state: 'cancelled', reason: { code: 'replaced' } }]);
  expect(await claimKey(bus, NOBODY, { job: first, now: Date.now() })).toEqual({
    may: 'yield',
    why: `job ${second.id} has its unique key now`,
  });
  expect(await claimKey(bus, NOBODY, { job: second, now: Date.now() })).toEqual({ may: 'run' });
  // A run of it has begun, so its place is taken no more.
  const third = await takeKey(bus, { ask: ask({ onConflict: 'replace' }), job: keyed(), now: Date.now() });
  expect(third).toMatchObject({ answer: 'existing', holder: { id: second.id } });
});

test.each(['unfinished', 'queued', 'last'] as const)(
  'a job that was replaced never runs, though the other one has run and its key (%s) is free again',
  async (mode) => {
    const { bus } = await bench();
    const facts = { mode, onConflict: 'replace' } as const;
    const [first, second] = [keyed(facts), keyed(facts)] as const;
    const now = Date.now();
    for (const job of [first, second]) {
      await takeKey(bus, { ask: ask(facts), job, now });
      await publishJobs(bus, [{ envelope: job }]);
      await clearReplaced(bus, NOBODY, { job, now });
    }
    expect(await claimKey(bus, NOBODY, { job: second, now })).toEqual({ may: 'run' });
    await releaseKey(bus, second);
    expect((await listNotes(bus, { from: 1, limit: 10 })).notes).toEqual([]);
    const yields = { may: 'yield', why: `job ${second.id} has taken its place` };
    expect(await claimKey(bus, NOBODY, { job: first, now })).toEqual(yields);
  },
);

const KEEP_LAST = { mode: 'last', onConflict: 'replace' } as const;
const runs = { may: 'run' } as const;

/** A job of which the last is kept has run once, and is to run again. */
async function hasRun(bus: Awaited<ReturnType<typeof bench>>['bus']) {
  const first = keyed(KEEP_LAST);
  const now = Date.now();
  await takeKey(bus, { ask: ask(KEEP_LAST), job: first, now });
  expect(await claimKey(bus, NOBODY, { job: first, now })).toEqual(runs);
  return { first, retry: { ...first, attempt: 2, run: 2 }, now };
}

test('where the last is kept a retry is replaced by the next call, at the position that it waited for', async () => {
  const { bus } = await bench();
  const { first, retry, now } = await hasRun(bus);
  await noteWaiting(bus, retry);
  await noteWaiting(bus, retry);
  await publishJobs(bus, [{ envelope: retry, at: now + 60_000 }]);
  const second = keyed(KEEP_LAST);
  const taken = await takeKey(bus, { ask: ask(KEEP_LAST), job: second, now });
  expect(taken).toMatchObject({ answer: 'replaced', replaces: [{ id: first.id }] });
  expect(await claimKey(bus, NOBODY, { job: retry, now })).toEqual({ may: 'wait' });
  const ended: EndedEvent[] = [];
  const teller = { publish: async (event: EndedEvent) => void ended.push(event) };
  await clearReplaced(bus, teller, { job: second, now });
  expect(ended).toMatchObject([{ job: first.id, attempt: 2, run: 2, state: 'cancelled' }]);
  expect(await findMessage(bus, { subject: timerSubject(bus, first.id) })).toBeUndefined();
  expect(await claimKey(bus, NOBODY, { job: second, now })).toEqual(runs);
});

test('a retry behind a newer job is ended when that begins, and runs no more, also while yet another one waits', async () => {
  const { bus } = await bench();
  const { first, retry, now } = await hasRun(bus);
  const second = keyed(KEEP_LAST);
  await takeKey(bus, { ask: ask(KEEP_LAST), job: second, now });
  await clearReplaced(bus, NOBODY, { job: second, now });
  await noteWaiting(bus, retry);
  expect(await claimKey(bus, NOBODY, { job: retry, now })).toEqual({ may: 'wait' });
  const ended: EndedEvent[] = [];
  const teller = { publish: async (event: EndedEvent) => void ended.push(event) };
  expect(await claimKey(bus, teller, { job: second, now })).toEqual(runs);
  expect(ended).toMatchObject([{ job: first.id, state: 'cancelled', reason: { code: 'replaced' } }]);
  const gone = { may: 'yield', why: `job ${second.id} has taken its place` };
  expect(await claimKey(bus, NOBODY, { job: retry, now })).toEqual(gone);
  await takeKey(bus, { ask: ask(KEEP_LAST), job: keyed(KEEP_LAST), now });
  expect(await claimKey(bus, NOBODY, { job: retry, now })).toEqual(gone);
});

test('a retry behind a newer job has its place back when that is not stored, or ends without a run', async () => {
  const { bus } = await bench();
  for (const leave of [giveUpKey, releaseKey]) {
    const { first, retry, now } = await hasRun(bus);
    const second = keyed(KEEP_LAST);
    await takeKey(bus, { ask: ask(KEEP_LAST), job: second, now });
    await noteWaiting(bus, retry);
    await leave(bus, second);
    const { note } = await noteOf(bus, { ...first, unique: ask(KEEP_LAST) });
    expect(note).toMatchObject({ holder: { id: first.id, run: 2 } });
    expect(note?.replaces).toBeUndefined();
    expect(await claimKey(bus, NOBODY, { job: retry, now })).toEqual(runs);
  }
});

test('a key that is given back, or freed, leaves nothing behind and is free at once', async () => {
  const { bus } = await bench();
  const [first, second, third] = [keyed(), keyed(), keyed()] as const;
  const now = Date.now();
  await takeKey(bus, { ask: ask(), job: first, now });
  await takeKey(bus, { ask: ask({ onConflict: 'replace' }), job: second, now });
  await giveUpKey(bus, second);
  expect(await takeKey(bus, { ask: ask(), job: third, now })).toMatchObject({ holder: { id: first.id } });
  await releaseKey(bus, third);
  expect((await listNotes(bus, { from: 1, limit: 10 })).notes).toHaveLength(1);
  await releaseKey(bus, first);
  expect((await listNotes(bus, { from: 1, limit: 10 })).notes).toEqual([]);
  expect(await takeKey(bus, { ask: ask(), job: third, now })).toMatchObject({ answer: 'created' });
});

test('a period is held whatever becomes of the job, and no longer', async () => {
  const { bus } = await bench();
  const timed = ask({ mode: 'period', forMs: 1_000 });
  const first = keyed(timed);
  const now = Date.now();
  await takeKey(bus, { ask: timed, job: first, now });
  await releaseKey(bus, first);
  const again = (at: number) => takeKey(bus, { ask: timed, job: keyed(timed), now: at });
  expect(await again(now + 999)).toMatchObject({ answer: 'existing', timed: true });
  expect(await again(now + 1_000)).toMatchObject({ answer: 'created' });
});

test('all notes are read a page at a time, and one that was changed since is left alone', async () => {
  const { bus } = await bench();
  const jobs = Array.from({ length: 25 }, () => keyed({ key: randomUUID() }));
  for (const job of jobs) await takeKey(bus, { ask: ask(job.unique), job, now: Date.now() });
  const seen: string[] = [];
  let from: number | undefined = 1;
  while (from !== undefined) {
    const page: Awaited<ReturnType<typeof listNotes>> = await listNotes(bus, { from, limit: 10 });
    expect(page.notes.length).toBeLessThanOrEqual(10);
    seen.push(...page.notes.map(({ note }) => note.holder.id));
    from = page.next;
  }
  expect(seen).toEqual(jobs.map(({ id }) => id));
  const [listed] = (await listNotes(bus, { from: 1, limit: 1 })).notes;
  const [job] = jobs;
  if (!listed || !job) throw new Error('none');
  expect(Math.abs(listed.time - Date.now())).toBeLessThan(60_000);
  await claimKey(bus, NOBODY, { job: job, now: Date.now() });
  expect(await applyReview(bus, listed, { do: 'remove' })).toBe(false);
  expect(await applyReview(bus, listed, { do: 'write', note: listed.note })).toBe(false);
});
