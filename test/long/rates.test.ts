import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HoldCrew, startHoldCrew } from '../support/hold-crew.ts';
import { byName, mostAtOnce, mostBegunIn } from '../support/hold-ledger.ts';
import { hold } from '../support/hold-task.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEYS = 10;
const JOBS = 1_200;
const LIMIT = 40;
const BURST = 5;
/** A start may be used 100 ms late, and a handler writes down some milliseconds after that that it has begun. */
const LATE_MS = 150;
const KILL_EVERY_MS = 4_000;

let crew: HoldCrew;

beforeAll(async () => {
  crew = await startHoldCrew({ concurrency: 20 });
}, 90_000);
afterAll(() => crew?.stop(), 60_000);

test(`${JOBS} jobs at ${LIMIT} per second over ${KEYS} keys of one task, workers and nats-server killed`, async () => {
  const say = (body: object) => crew.stack.http.call('PATCH', '/tasks/test.hold', body);
  await waitUntil('the task is known', async () => (await say({})).status === 200);
  const rateLimit = { limit: LIMIT, period: '1s', burst: BURST };
  const concurrencyKey = { key: 'k-{input.name}', limit: 1 };
  expect(await say({ rateLimit, concurrencyKey })).toMatchObject({ status: 200 });
  const began = Date.now();
  await crew.client.enqueueMany(
    hold,
    Array.from({ length: JOBS }, (_, index) => ({
      input: { file: crew.ledger.file, name: `rated-${index % KEYS}`, ms: 100 },
      options: {},
    })),
  );
  let kill = Date.now() + KILL_EVERY_MS;
  let natsKilled = false;
  for (const end = Date.now() + 300_000; (await crew.finished('rated-')) < JOBS; await pause(250)) {
    if (Date.now() > end) throw new Error(`only ${await crew.finished('rated-')} of ${JOBS} have ended`);
    if (Date.now() < kill) continue;
    kill = Date.now() + KILL_EVERY_MS;
    if (crew.killedAt.length < 3) await crew.killWorker();
    else if (!natsKilled) {
      natsKilled = true;
      await crew.stack.killNats();
    }
  }
  const runs = (await crew.runs()).filter(({ name }) => name.startsWith('rated-'));
  expect(new Set(runs.map(({ job }) => job)).size).toBe(JOBS);
  expect([...byName(runs)].filter(([, of]) => mostAtOnce(of) > 1)).toEqual([]);
  const most = mostBegunIn(runs, 1_000);
  const seconds = (Date.now() - began) / 1_000;
  console.info({ seconds, perSecond: JOBS / seconds, kills: crew.killedAt.length, runs: runs.length, most });
  expect(most).toBeLessThanOrEqual(Math.ceil(LIMIT * (1 + LATE_MS / 1_000)) + BURST);
}, 400_000);

test('a job that waits for its rate is cancelled, moved, expires and goes with a purge', async () => {
  const { stack, client, ledger } = crew;
  const say = (body: object) => stack.http.call('PATCH', '/tasks/test.hold', body);
  await waitUntil('the task is known', async () => (await say({})).status === 200);
  expect(await say({ rateLimit: { limit: 1, period: '1h' }, concurrencyKey: null })).toMatchObject({
    status: 200,
  });
  const stateOf = async (id: string | undefined) =>
    (await stack.http.job(id ?? '').catch(() => undefined))?.['state'];
  const make = async (options: { expires?: string } = {}) =>
    (await client.enqueue(hold, { file: ledger.file, name: 'verbs', ms: 1 }, options)).id;
  const are = (what: string, ids: readonly (string | undefined)[]) =>
    waitUntil(what, async () => (await Promise.all(ids.map(stateOf))).every((state) => state === what));
  // As soon as the rate is known everywhere, and its start is used up.
  await waitUntil('one is parked', async () => {
    const id = await make();
    return waitUntil('it is decided', async () => {
      const state = await stateOf(id);
      return (state === 'parked' || state === 'succeeded') && state;
    }).then((state) => state === 'parked');
  });
  const [first, second, third, fourth] = [
    await make(),
    await make(),
    await make(),
    await make({ expires: '2s' }),
  ];
  await are('parked', [first, second, third, fourth]);
  expect(await stack.http.call('POST', `/jobs/${first}/cancel`, {})).toMatchObject({ status: 200 });
  expect(await stack.http.call('PATCH', `/jobs/${second}`, { priority: 'high' })).toMatchObject({
    status: 200,
  });
  await are('cancelled', [first]);
  await are('expired', [fourth]);
  await are('parked', [second, third]);
  const purge = (body: object) =>
    stack.http.call<{ confirm?: string; count?: object }>('POST', '/queues/default/purge', body);
  const { body } = await purge({});
  expect(body.count).toMatchObject({ parked: expect.any(Number) });
  expect(await purge({ confirm: body.confirm })).toMatchObject({ status: 200 });
  await are('cancelled', [second, third]);
  expect(await say({ rateLimit: null })).toMatchObject({ status: 200 });
  const last = await make();
  await are('succeeded', [last]);
}, 90_000);
