import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttp, type Http } from '../support/http.ts';
import { createLiveBench, type LiveBench } from '../support/live.ts';
import { acceptedEvent, DEAD, newJob, settledEvent, workerEvent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Page {
  readonly items: readonly object[];
  readonly nextCursor: string | null;
  readonly total?: { readonly value: number; readonly capped: boolean };
}
let bench: LiveBench;
let http: Http;
const endings: (() => Promise<void>)[] = [];
const page = async (path: string) => (await http.call<Page>('GET', path)).body;
const repeat = async (times: number, act: (n: number) => Promise<unknown>) => {
  for (let n = 0; n < times; n++) await act(n);
};

beforeAll(async () => {
  bench = await createLiveBench({ atEnd: (stop) => void endings.push(stop) });
  const { url } = await bench.api();
  http = createHttp({ url, apiKey: bench.adminKey });
  const job = { task: 'system.echo', input: 1 };
  await http.call('POST', '/schedules', { name: 'three', when: { every: '1d' }, job });
  await repeat(3, () => http.call('POST', '/schedules/three/trigger', {}));
  await repeat(3, () => http.call('POST', '/session', { key: bench.adminKey }));
  await repeat(3, () => http.call('POST', '/batches', { action: 'cancel', filter: { queue: 'none' } }));
  await repeat(2, (n) => http.call('POST', '/api-keys', { name: `key ${n}`, role: 'viewer' }));
  await repeat(3, async (n) => {
    const dead = newJob();
    await bench.events.publish(acceptedEvent(dead, n + 1));
    await bench.events.publish(settledEvent(dead, DEAD));
    await bench.events.publish(workerEvent(`w${n}`));
  });
  await waitUntil('history has all', async () => {
    const all = await Promise.all(['/dead-letters', '/workers'].map(page));
    return all.every(({ items }) => items.length === 3);
  });
}, 60_000);
afterAll(async () => {
  for (const end of endings.reverse()) await end();
});

test.each([
  ['/audit?action=schedule.trigger', false],
  ['/batches', false],
  ['/api-keys', false],
  ['/sessions', false],
  ['/workers', false],
  ['/schedules/three/occurrences?origin=trigger', false],
  // Messages that never were a job are not counted.
  ['/dead-letters', true],
  // These are looked at one by one, for so long: on a machine that does other things too there may be more.
  ['/dead-letters?task=system.echo', expect.any(Boolean)],
])('the first page of %s tells how many there are, the others do not', async (path, capped) => {
  const more = path.includes('?') ? '&' : '?';
  // Letters are looked at for a bounded time: on a busy machine not all of them are counted.
  const counted = (query: string) =>
    waitUntil('all are counted', async () => {
      const found = await page(query);
      return found.total?.value === 3 && found;
    });
  const first = await counted(`${path}${more}limit=2`);
  expect([first.items.length, first.total]).toEqual([2, { value: 3, capped }]);
  const second = await page(`${path}${more}limit=2&cursor=${first.nextCursor}`);
  expect(second.items).toHaveLength(1);
  expect(second).not.toHaveProperty('total');
  await waitUntil('none is left to look at', async () => (await counted(path)).total?.capped === false);
});
