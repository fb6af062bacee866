import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const ACK_WAIT_MS = 2_000;
const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };

const at = useLedgerStack({ ackWait: `${ACK_WAIT_MS}ms` });

test('a handler that blocks the event loop for three times ack_wait runs once, though a neighbour is free', async () => {
  const workers = await Promise.all([at.stack.start('worker', { env }), at.stack.start('worker', { env })]);
  const id = await at.post('test.block', '/blocks', { ms: 3 * ACK_WAIT_MS });
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'succeeded', attempts: [{ number: 1, outcome: 'succeeded' }] });
  expect(at.ledger.effects.get('/blocks')?.arrivals).toHaveLength(1);
  await Promise.all(workers.map((worker) => worker.stop()));
}, 60_000);

test('past its hard limit it is timed-out, by the clock and not by what it returned', async () => {
  const worker = await at.stack.start('worker', { env });
  const id = await at.post('test.block', '/too-long', { ms: 2 * ACK_WAIT_MS }, { timeout: { hard: '1s' } });
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'dead', attempts: [{ number: 1, outcome: 'timed-out' }] });
  expect(at.ledger.effects.get('/too-long')?.arrivals).toHaveLength(1);
  await worker.stop();
}, 60_000);

test('past the grace the process ends, and its other jobs run again', async () => {
  const main = join(import.meta.dirname, 'mains/worker-with-short-grace.ts');
  const worker = await at.stack.start('worker', { env, main });
  const other = await at.post('test.wait', '/other', { ms: 3_000 });
  await waitUntil('it has begun', () => at.ledger.effects.has('/other'));
  const blocker = await at.post('test.block-once', '/blocker', { ms: 60_000 });
  await worker.exited;
  expect(worker.output()).toContain('event loop blocked');
  await at.stack.start('worker', { env });
  expect(await at.stack.http.jobIn(other, ['succeeded', 'dead'])).toMatchObject({ state: 'succeeded' });
  const blocked = await at.stack.http.jobIn(blocker, ['succeeded', 'dead']);
  expect(blocked.state).toBe('succeeded');
  expect(at.ledger.effects.get('/other')?.arrivals).toHaveLength(2);
  expect(at.ledger.effects.get('/blocker')?.arrivals).toHaveLength(2);
}, 60_000);

test('a process that stood still past a hard limit and the grace goes on', async () => {
  const main = join(import.meta.dirname, 'mains/worker-with-short-grace.ts');
  const worker = await at.stack.start('worker', { env, main });
  const id = await at.post(
    'test.wait',
    '/stood',
    { ms: 20_000 },
    { timeout: { hard: '1s' }, retry: { attempts: 1 } },
  );
  await waitUntil('it has begun', () => at.ledger.effects.has('/stood'));
  process.kill(worker.pid, 'SIGSTOP');
  // Nobody says anything while it stands; that it stood for long enough is all that counts.
  await pause(2_500);
  process.kill(worker.pid, 'SIGCONT');
  const job = await at.stack.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'dead', attempts: [{ number: 1, outcome: 'timed-out' }] });
  expect(worker.output()).not.toContain('event loop blocked');
  await worker.stop();
}, 60_000);
