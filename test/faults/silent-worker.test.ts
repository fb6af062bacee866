import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts'), JETBEAT_DRAIN: '200ms' };
/** For so long a killed worker counts as alive. */
const ACK_WAIT_MS = 60_000;
/** By then a job begins that the killed worker cannot have. */
const SOON_MS = ACK_WAIT_MS / 2;

const at = useLedgerStack({ ackWait: `${ACK_WAIT_MS}ms` });

const hits = (path: string) => at.ledger.effects.get(path)?.arrivals.length ?? 0;
const begun = (path: string, times = 1) =>
  waitUntil(`${path} has begun ${times} times`, () => hits(path) >= times, { timeoutMs: SOON_MS });
const start = (concurrency: number, queue = 'default') =>
  at.stack.start('worker', {
    env: { ...env, JETBEAT_CONCURRENCY: `${concurrency}`, JETBEAT_QUEUES: queue },
  });
test('what another worker gave back, or has to try again, does not wait for a worker that was killed', async () => {
  const killed = await start(1, 'elsewhere');
  const held = await at.post('test.stubborn', '/held', { ms: 120_000 }, { queue: 'elsewhere' });
  await begun('/held');
  const other = await start(1);
  const late = await at.post('test.flaky', '/late', { failures: 1 }, { retry: { attempts: 3, delay: '8s' } });
  await at.stack.http.jobIn(late, ['retrying'], 10_000);
  const running = await at.post('test.stubborn', '/running', { ms: 120_000 });
  await begun('/running');
  await killed.kill();
  await Promise.all([other.stop(), start(10)]);
  const from = performance.now();
  for (const id of [late, running])
    expect(await at.stack.http.ended(id, SOON_MS)).toMatchObject({ state: 'succeeded' });
  expect(performance.now() - from).toBeLessThan(SOON_MS);
  expect(hits('/running')).toBe(2);
  expect(hits('/held')).toBe(1);
  expect(await at.stack.http.job(held)).toMatchObject({ state: 'running' });
}, 120_000);
