import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ledger, startLedger } from '../support/ledger.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

const ACK_WAIT_MS = 2_000;
const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };

let stack: Stack;
let ledger: Ledger;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ ackWait: `${ACK_WAIT_MS}ms` });
  await Promise.all([stack.start('api'), stack.start('recorder')]);
}, 90_000);
afterAll(async () => {
  await stack?.stop();
  await ledger?.stop();
}, 60_000);

async function post(task: string, path: string, input: object = {}): Promise<string> {
  const body = { task, input: { url: ledger.url + path, ...input } };
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer.status).toBe(202);
  return answer.body.id;
}
const postMany = (prefix: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => post('http.request', `${prefix}${index}`)));

async function endedOnce(prefix: string, ids: readonly string[]): Promise<void> {
  for (const id of ids)
    expect((await stack.http.jobIn(id, ['succeeded', 'dead'], 30_000)).state).toBe('succeeded');
  const hits = [...ledger.effects].filter(([path]) => path.startsWith(prefix));
  expect(hits.filter(([, { arrivals }]) => arrivals.length !== 1)).toEqual([]);
  expect(hits).toHaveLength(ids.length);
}

test('what lay unread while a handler blocked the event loop ran elsewhere, and does not run again', async () => {
  const workers = await Promise.all([stack.start('worker', { env }), stack.start('worker', { env })]);
  const blocker = await post('test.block', '/blocker', { ms: 3 * ACK_WAIT_MS });
  await waitUntil('it blocks', () => ledger.effects.has('/blocker'));
  const ids = await postMany('/meanwhile-', 20);
  expect(await stack.http.jobIn(blocker, ['succeeded', 'dead'])).toMatchObject({ state: 'succeeded' });
  // What it runs after the block would be heard of before this one.
  ids.push(...(await postMany('/meanwhile-after-', 5)));
  await endedOnce('/meanwhile-', ids);
  await Promise.all(workers.map((worker) => worker.stop()));
}, 60_000);

test('a worker that was stopped for longer than ack_wait asks before it begins what it held', async () => {
  const stopped = await stack.start('worker', { env });
  process.kill(stopped.pid, 'SIGSTOP');
  const ids = await postMany('/stopped-', 10);
  const other = await stack.start('worker', { env });
  for (const id of ids) await stack.http.jobIn(id, ['succeeded', 'dead'], 30_000);
  process.kill(stopped.pid, 'SIGCONT');
  await stopped.ready();
  ids.push(...(await postMany('/stopped-after-', 5)));
  await endedOnce('/stopped-', ids);
  await Promise.all([stopped.stop(), other.stop()]);
}, 60_000);
