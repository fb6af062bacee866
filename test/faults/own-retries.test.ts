import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { useLedgerStack } from '../support/ledger-stack.ts';
import { scrape } from '../support/metrics.ts';
import { waitUntil } from '../support/wait-until.ts';

const env = { JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts') };
const FAILURES = 3;

const at = useLedgerStack({ ackWait: '10s' });

const post = (prefix: string, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      at.post('test.flaky', `${prefix}${index}`, { failures: FAILURES }),
    ),
  );

async function succeeded(ids: readonly string[]): Promise<void> {
  for (const id of ids)
    expect((await at.stack.http.jobIn(id, ['succeeded', 'dead'], 60_000)).state).toBe('succeeded');
}

const doubts = async (worker: AppProcess) => {
  const page = await scrape(worker.healthUrl);
  const answers = page.samples.filter(({ name }) => name === 'jetbeat_worker_doubts_total');
  return answers.reduce((sum, { value }) => sum + value, 0);
};
const arrivals = (prefix: string) =>
  [...at.ledger.effects]
    .filter(([path]) => path.startsWith(prefix))
    .map(([, effect]) => effect.arrivals.length);

test('a worker does not ask about retries that it has published itself, and each runs once', async () => {
  const worker = await at.stack.start('worker', { env });
  const asked: number[] = [];
  // An event loop that stood for long on a busy machine makes what it held doubtful; one round of these is without that.
  while (!asked.includes(0) && asked.length < 10) {
    const before = await doubts(worker);
    const prefix = `/own-${asked.length}-`;
    await succeeded(await post(prefix, 10));
    expect(arrivals(prefix)).toEqual(new Array(10 * (FAILURES + 1)).fill(1));
    asked.push((await doubts(worker)) - before);
  }
  expect(asked).toContain(0);
  await worker.stop();
}, 90_000);

test('two workers whose server is killed among the retries run no attempt twice whose outcome was stored', async () => {
  const workers = [await at.stack.start('worker', { env }), await at.stack.start('worker', { env })];
  const ids = await post('/killed-', 60);
  await waitUntil('retries run', () => arrivals('/killed-').length > 60);
  await at.stack.killNats();
  await succeeded(ids);
  expect(arrivals('/killed-')).toEqual(new Array(60 * (FAILURES + 1)).fill(1));
  await Promise.all(workers.map((worker) => worker.stop()));
}, 120_000);
