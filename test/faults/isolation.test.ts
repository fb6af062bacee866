import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { processLives } from '../support/process-lives.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'isolation-tasks.ts') };

const at = useLedgerStack({ ackWait: '2s' });

/** Who has run it, as told to the ledger. */
async function who(path: string, count = 1): Promise<{ pid: number; child: number; thread: number }[]> {
  const found = () => [...at.ledger.effects.keys()].filter((key) => key.startsWith(`${path}/who/`));
  await waitUntil('its handler has begun', () => at.ledger.effects.get(path) && found().length >= count);
  return found().map((key) => {
    const [pid = 0, child = 0, thread = 0] = key
      .slice(path.length + 5)
      .split('/')
      .map(Number);
    return { pid, child, thread };
  });
}

const gone = (pid: number) => waitUntil(`${pid} is gone`, async () => !(await processLives(pid)));

test('the hard limit ends what computes for ever, in a thread and in a process with all that it started', async () => {
  const worker = await at.stack.start('worker', { env });
  const limits = { timeout: { hard: '1s' } };
  const ids = [
    await at.post('isolated.spin-process', '/p', {}, limits),
    await at.post('isolated.spin-thread', '/t', {}, limits),
  ];
  const [own] = await who('/p');
  const [thread] = await who('/t');
  expect(own?.pid).not.toBe(worker.pid);
  expect(thread?.pid).toBe(worker.pid);
  expect(thread?.thread).toBeGreaterThan(0);
  for (const id of ids) {
    expect(await at.stack.http.jobIn(id, ['succeeded', 'dead'])).toMatchObject({
      state: 'dead',
      reason: { code: 'attempts_used_up' },
      attempts: [{ number: 1, outcome: 'timed-out' }],
      error: { code: 'hard_time_limit' },
    });
  }
  await gone(own?.pid ?? 0);
  await gone(own?.child ?? 0);
  const after = await at.stack.http.jobIn(await at.post('isolated.pid', '/after'), ['succeeded', 'dead']);
  expect(after.result).toMatchObject({ pid: worker.pid });
  expect(worker.output()).not.toContain('event loop blocked');
  await worker.stop();
}, 60_000);

test('a job that kills each child is lost five times beside its neighbours, and dead with the reason the sixth time', async () => {
  const worker = await at.stack.start('worker', { env });
  const id = await at.post('isolated.segfault', '/segfault');
  const neighbour = await at.post('isolated.pid', '/neighbour');
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead'], 60_000);
  expect(job).toMatchObject({ state: 'dead', reason: { code: 'lost_too_often' } });
  expect(job.reason?.text).toContain('vanished 6 times, the last time: its process was killed by SIGSEGV');
  expect(job.attempts.map(({ number, outcome }) => [number, outcome])).toEqual(
    Array.from({ length: 6 }, () => [1, 'lost']),
  );
  expect(job.error).toMatchObject({ name: 'ChildLostError', code: 'child_lost' });
  expect(at.ledger.effects.get('/segfault')?.arrivals).toHaveLength(6);
  expect(new Set((await who('/segfault', 6)).map(({ pid }) => pid)).size).toBe(6);
  const alongside = await at.stack.http.jobIn(neighbour, ['succeeded', 'dead']);
  expect(alongside.result).toMatchObject({ pid: worker.pid });
  await worker.stop();
}, 90_000);

test('a job that has taken two workers down runs in a process of its own from then on', async () => {
  const first = await at.stack.start('worker', { env });
  const id = await at.post('isolated.deadly', '/deadly');
  await first.exited;
  const second = await at.stack.start('worker', { env, eager: true });
  await second.exited;
  const third = await at.stack.start('worker', { env });
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead'], 60_000);
  expect(job).toMatchObject({ state: 'succeeded', result: { hits: 3, parent: third.pid } });
  expect(job.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
    [1, 'lost'],
    [1, 'lost'],
    [1, 'succeeded'],
  ]);
  await third.stop();
}, 90_000);

test('kill -9 of a worker leaves no child behind, and its job runs elsewhere', async () => {
  const first = await at.stack.start('worker', { env });
  const id = await at.post('isolated.spin-once', '/once');
  const [own] = await who('/once');
  await first.kill();
  await gone(own?.pid ?? 0);
  await gone(own?.child ?? 0);
  const second = await at.stack.start('worker', { env });
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead'], 60_000);
  expect(job).toMatchObject({ state: 'succeeded', result: { hits: 2 } });
  expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
  const { child } = job.result as { child: string };
  expect(await at.stack.http.jobIn(child, ['succeeded', 'dead'])).toMatchObject({
    state: 'succeeded',
    result: { pid: second.pid },
  });
  await second.stop();
}, 90_000);

test('a worker that stops gives an isolated job back, and leaves no child', async () => {
  const first = await at.stack.start('worker', { env: { ...env, JETBEAT_DRAIN: '200ms' } });
  const id = await at.post('isolated.spin-once', '/stop');
  const [own] = await who('/stop');
  expect(await first.stop()).toBe(0);
  expect(await processLives(own?.pid ?? 0)).toBe(false);
  const second = await at.stack.start('worker', { env });
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead'], 30_000);
  expect(job).toMatchObject({ state: 'succeeded', result: { hits: 2 } });
  expect(job.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
    [1, 'cancelled'],
    [1, 'succeeded'],
  ]);
  await second.stop();
}, 60_000);
