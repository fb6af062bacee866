import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const ACK_WAIT_MS = 2_000;
const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };

const at = useLedgerStack({ ackWait: `${ACK_WAIT_MS}ms` });

const postMany = (prefix: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => at.post('http.request', `${prefix}${index}`)));

async function endedOnce(prefix: string, ids: readonly string[]): Promise<void> {
  for (const id of ids)
    expect((await at.stack.http.jobIn(id, ['succeeded', 'dead'], 30_000)).state).toBe('succeeded');
  const hits = [...at.ledger.effects].filter(([path]) => path.startsWith(prefix));
  expect(hits.filter(([, { arrivals }]) => arrivals.length !== 1)).toEqual([]);
  expect(hits).toHaveLength(ids.length);
}

test('what lay unread while a handler blocked the event loop ran elsewhere, and does not run again', async () => {
  const workers = await Promise.all([at.stack.start('worker', { env }), at.stack.start('worker', { env })]);
  const blocker = await at.post('test.block', '/blocker', { ms: 3 * ACK_WAIT_MS });
  await waitUntil('it blocks', () => at.ledger.effects.has('/blocker'));
  const ids = await postMany('/meanwhile-', 20);
  expect(await at.stack.http.jobIn(blocker, ['succeeded', 'dead'])).toMatchObject({ state: 'succeeded' });
  // What it runs after the block would be heard of before this one.
  ids.push(...(await postMany('/meanwhile-after-', 5)));
  await endedOnce('/meanwhile-', ids);
  await Promise.all(workers.map((worker) => worker.stop()));
}, 60_000);

test('a worker that was stopped for longer than ack_wait asks before it begins what it held', async () => {
  const stopped = await at.stack.start('worker', { env });
  process.kill(stopped.pid, 'SIGSTOP');
  const ids = await postMany('/stopped-', 10);
  const other = await at.stack.start('worker', { env });
  for (const id of ids) await at.stack.http.jobIn(id, ['succeeded', 'dead'], 30_000);
  process.kill(stopped.pid, 'SIGCONT');
  await stopped.ready();
  ids.push(...(await postMany('/stopped-after-', 5)));
  await endedOnce('/stopped-', ids);
  await Promise.all([stopped.stop(), other.stop()]);
}, 60_000);
