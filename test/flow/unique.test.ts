import type { Job } from '@jetbeat/core/http';
import { expect, test } from 'vitest';
import { useUniqueCalls } from '../support/unique-calls.ts';
import { waitUntil } from '../support/wait-until.ts';
import { hold } from './unique-tasks.ts';

const at = useUniqueCalls(['api', 'recorder', 'scheduler', 'worker']);
const { ask, post, end, gate } = at;

test('50 producers of four kinds make one job, and all are told its id', async () => {
  const uniqueKey = 'mixed';
  const input = gate('mixed');
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const job = { task: 'unique.hold', input, uniqueKey };
  const made = await at.stack.http.call('POST', '/schedules', { name: 'mixed', when: { at: later }, job });
  expect(made).toMatchObject({
    status: 201,
    body: {
      job: { uniqueKey: { key: 'mixed', scope: 'task', while: 'unfinished', onConflict: 'existing' } },
    },
  });
  const parents = await Promise.all(
    Array.from({ length: 10 }, () => post({ task: 'unique.parent', input: { ...input, uniqueKey } })),
  );
  const answers = await Promise.all([
    ...Array.from({ length: 20 }, () => ask('mixed', uniqueKey)),
    ...Array.from({ length: 20 }, () => post(job)),
    ...parents.map(async ({ id }) => (await end(id)).result as { id: string; created: boolean }),
  ]);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(answers.filter(({ created }) => created)).toHaveLength(1);
  const id = answers[0]?.id ?? '';
  await at.gates.until('/mixed', 1);
  // Only now: a schedule that fires by the clock may come before them all, and then none of them has created the job.
  const fired = await at.stack.http.call('POST', '/schedules/mixed/trigger');
  expect(fired.status).toBe(202);
  const scheduled = await waitUntil('the schedule has fired', async () => {
    const query = 'schedule=mixed&state=cancelled';
    return (await at.stack.http.call<{ items: Job[] }>('GET', `/jobs?${query}`)).body.items[0];
  });
  expect(scheduled).toMatchObject({
    reason: { code: 'not_unique', text: `job ${id} has its unique key` },
    attempts: [],
  });
  expect(at.gates.entered('/mixed')).toBe(1);
  expect(await at.stack.http.job(id)).toMatchObject({
    uniqueKey: { key: 'mixed', scope: 'task', mode: 'unfinished' },
  });
  at.gates.open('/mixed');
  expect(await end(id)).toMatchObject({ state: 'succeeded' });
  // The key is free with the end of the job, of which history may have heard a moment before.
  const next = await waitUntil('the key is free', async () => {
    const asked = await ask('mixed', uniqueKey);
    return asked.created && asked;
  });
  expect(next.id).not.toBe(id);
  expect(await end(next.id)).toMatchObject({ state: 'succeeded' });
}, 60_000);

test('twenty times over, 50 concurrent calls of client and API make one job', async () => {
  for (let round = 0; round < 20; round++) {
    const uniqueKey = `round ${round}`;
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) =>
        index % 2
          ? ask(`round-${round}`, uniqueKey)
          : post({ task: 'unique.hold', input: gate(`round-${round}`), uniqueKey }),
      ),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    at.gates.open(`/round-${round}`);
    expect(await end(answers[0]?.id ?? '')).toMatchObject({ state: 'succeeded' });
    expect(at.gates.entered(`/round-${round}`)).toBe(1);
  }
}, 60_000);

test('a key is held through retries, until the job is dead', async () => {
  const first = await at.client.enqueue(hold, { ...gate('retried'), failures: 3 }, { uniqueKey: 'retried' });
  await at.gates.until('/retried', 1);
  expect(await ask('retried', 'retried')).toMatchObject({ id: first.id, created: false });
  at.gates.open('/retried');
  const job = await end(first.id);
  expect(job).toMatchObject({ state: 'dead' });
  expect(job.attempts).toHaveLength(3);
  const next = await waitUntil('the key is free', async () => {
    const asked = await ask('retried', 'retried');
    return asked.created && asked;
  });
  expect(await end(next.id)).toMatchObject({ state: 'succeeded' });
});

test('a key that is held while queued is free as soon as a run begins', async () => {
  const queued = { key: 'queued', while: 'queued' } as const;
  const waiting = await ask('queued', queued, { delay: '1h' });
  expect(await ask('queued', queued)).toMatchObject({ id: waiting.id, created: false });
  await at.stack.http.jobIn(waiting.id, ['scheduled']);
  const cancelled = await at.stack.http.call('POST', `/jobs/${waiting.id}/cancel`, {});
  expect(cancelled.status).toBe(200);
  const runs = await waitUntil('the key is free', async () => {
    const asked = await ask('queued', queued);
    return asked.created && asked;
  });
  await at.gates.until('/queued', 1);
  const next = await ask('queued', queued);
  expect(next).toMatchObject({ created: true });
  await at.gates.until('/queued', 2);
  at.gates.open('/queued');
  for (const { id } of [runs, next]) expect(await end(id)).toMatchObject({ state: 'succeeded' });
});

test('a new job takes the place of one that waits, and not of one that runs', async () => {
  const replace = { key: 'replace', onConflict: 'replace' } as const;
  const first = await ask('replace', replace, { delay: '1h' });
  const second = await ask('replace', replace, { delay: '1h' });
  expect(second).toMatchObject({ created: true, replaced: first.id });
  const third = await post({ task: 'unique.hold', input: gate('replace'), uniqueKey: replace });
  expect(third).toMatchObject({ created: true, replaced: second.id, state: 'queued' });
  for (const { id } of [first, second])
    expect(await end(id)).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' }, attempts: [] });
  await at.gates.until('/replace', 1);
  expect(await ask('replace', replace)).toMatchObject({ id: third.id, created: false });
  await at.stack.http.jobIn(third.id, ['running']);
  expect(await post({ task: 'unique.hold', input: gate('replace'), uniqueKey: replace })).toMatchObject({
    id: third.id,
    created: false,
    state: 'running',
    warnings: [],
  });
  at.gates.open('/replace');
  expect(await end(third.id)).toMatchObject({ state: 'succeeded' });
});

test('a period, and a throttle, take the first call and answer the others with its job', async () => {
  at.gates.open('/period');
  const period = { key: 'period', for: '2s' } as const;
  const began = Date.now();
  const first = await ask('period', period);
  expect(await end(first.id)).toMatchObject({ state: 'succeeded' });
  // What the call said history may hear after the end of the job.
  await waitUntil('history knows its key', async () => (await end(first.id)).uniqueKey?.mode === 'period');
  const throttled = { throttle: { key: 'period', period: '1h' } };
  const call = () => at.client.enqueue(hold, gate('period'), throttled);
  const [other, again] = [await call(), await call()];
  expect(other).toMatchObject({ created: true });
  expect(again).toMatchObject({ id: other.id, created: false });
  expect(await post({ task: 'unique.hold', input: gate('period'), ...throttled })).toMatchObject({
    id: other.id,
    created: false,
  });
  const next = await waitUntil('the period is over', async () => {
    const asked = await ask('period', period);
    return asked.created && asked;
  });
  expect(Date.now() - began).toBeGreaterThan(1_900);
  expect(next.id).not.toBe(first.id);
});

test('of a flurry of debounced calls the last one runs, with its input, and not before they are over', async () => {
  at.gates.open('/debounce');
  const debounce = { key: 'debounce', delay: '2s' };
  const call = (turn: number) => at.client.enqueue(hold, { ...gate('debounce'), turn }, { debounce });
  const made = [];
  for (let turn = 0; turn < 5; turn++) made.push(await call(turn));
  const asked = Date.now();
  const input = { ...gate('debounce'), turn: 5 };
  const last = await post({ task: 'unique.hold', input, debounce });
  expect(last).toMatchObject({ created: true, replaced: made[4]?.id, state: 'scheduled' });
  const job = await end(last.id);
  expect(job).toMatchObject({ state: 'succeeded', result: { turn: 5 }, uniqueKey: { mode: 'debounce' } });
  expect(Date.parse(job.startedAt ?? '') - asked).toBeGreaterThan(1_900);
  for (const { id } of made)
    expect(await end(id)).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' } });
  expect(at.gates.entered('/debounce')).toBe(1);
}, 30_000);

test('calls without end put a debounced job off no longer than maxWait', async () => {
  const calls = async (name: string) => {
    at.gates.open(`/${name}`);
    const debounce = { key: name, delay: '500ms', maxWait: '1s' };
    const began = Date.now();
    let longest = 0;
    for (let last = began; at.gates.entered(`/${name}`) < 2 && last - began < 10_000; ) {
      await at.client.enqueue(hold, gate(name), { debounce });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = Date.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
    // Else it would have gone on for ever.
    expect(at.gates.entered(`/${name}`)).toBeGreaterThanOrEqual(2);
    return { took: Date.now() - began, longest };
  };
  let found = await calls('max-wait');
  // On a busy machine two calls may lie too far apart to put anything off.
  for (let tries = 1; found.longest > 300 && tries < 5; tries++) found = await calls(`max-wait-${tries}`);
  expect(found.took).toBeGreaterThan(1_900);
}, 60_000);

test('a job that is cancelled leaves its key at once to whoever asks the API', async () => {
  const body = { task: 'unique.hold', input: gate('cancelled'), uniqueKey: 'cancelled', delay: '1h' };
  const first = await post(body);
  expect(await post(body)).toMatchObject({ id: first.id, created: false, state: 'scheduled' });
  await at.stack.http.call('POST', `/jobs/${first.id}/cancel`, {});
  const second = await post(body);
  expect(second).toMatchObject({ created: true, state: 'scheduled' });
  expect(second.id).not.toBe(first.id);
});

test('what is wrong with a key is named, and enqueueMany takes none', async () => {
  const wrong = { task: 'unique.hold', input: 1, uniqueKey: { key: 'a', for: '1h', onConflict: 'replace' } };
  expect(await at.stack.http.call('POST', '/jobs', wrong)).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', errors: [{ pointer: '/uniqueKey/onConflict' }] },
  });
  await expect(at.client.enqueueMany(hold, [{ input: {}, options: { uniqueKey: 'a' } }])).rejects.toThrow(
    'enqueueMany takes no uniqueKey: enqueue such a job by a call of its own',
  );
  const both = { keepLast: 'a', concurrencyKey: 'a' };
  await expect(at.client.enqueue(hold, {}, both)).rejects.toThrow(
    'keepLast and concurrencyKey exclude each other',
  );
});
