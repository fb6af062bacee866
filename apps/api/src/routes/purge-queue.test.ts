import type { Problem, PurgeAnswer } from '@jetbeat/core/http';
import { changeQueue, type Database, getQueue, openDatabase } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import type { QueuePorts } from '../queues/queue-ports.ts';
import { createTestServer, NOW, type TestServer } from '../test-server.ts';

/** By NATS' clock, which is an hour before that of the API. */
const THERE = NOW - 3_600_000;
let made: TestDatabase;
let db: Database;
let server: TestServer;
let upTo = 0;
let now = THERE;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'purge-queue-test' });
  const queues: Partial<QueuePorts> = {
    picture: async () => ({
      lanes: new Map(),
      unserved: new Map(),
      rates: new Map(),
      slots: new Map(),
      workers: new Map([['mail', ['w1']]]),
      counts: new Map(),
      capped: [],
    }),
    tell: async () => {},
    makeLanes: async () => {},
    countPurge: async () => ({ waiting: 1, parked: 0, timers: 0, upTo, streamCreated: 1, at: now }),
    stream: async () => ({ created: 1, lastSeq: Math.max(upTo, 400), now }),
  };
  server = await createTestServer({ db, queues: queues as QueuePorts });
});
afterAll(async () => {
  await server?.app.close();
  await db?.close();
  await made?.drop();
});

const call = (body: object) => server.call<PurgeAnswer & Problem>('POST /queues/mail/purge', body);
/** Counts up to there; what confirms it. */
async function count(at: number, timers: boolean): Promise<() => ReturnType<typeof call>> {
  upTo = at;
  now += 1_000;
  const { body } = await call({ timers });
  const { confirm } = body as { confirm?: string };
  return () => call({ timers, confirm });
}
const purge = async () => (await getQueue(db, 'mail'))?.purge;

test('what somebody was told is being removed is removed, whatever others confirm meanwhile', async () => {
  const small = await count(100, false);
  const large = await count(200, true);
  const later = await count(300, false);
  const largest = await count(400, true);
  expect((await large()).body).toMatchObject({ state: 'running' });
  expect((await small()).body).toMatchObject({ state: 'running' });
  expect(await purge()).toMatchObject({ upTo: 200, timers: true });
  const { status, body, headers } = await later();
  expect([status, body.code, headers['retry-after']]).toEqual([409, 'purge_changed', '2']);
  await changeQueue(db, {
    name: 'mail',
    now,
    change: ({ purge: p }) => p && { purge: { ...p, removed: 7 } },
  });
  expect((await largest()).body).toMatchObject({ state: 'running', removed: 7 });
  expect(await purge()).toMatchObject({ upTo: 400, timers: true });
  await changeQueue(db, {
    name: 'mail',
    now,
    change: ({ purge: p }) => p && { purge: { ...p, doneAt: now } },
  });
  expect((await small()).body).toMatchObject({ state: 'running', removed: 0 });
  expect(await purge()).toMatchObject({ upTo: 100, timers: false });
});

test('what was counted may be confirmed for ten minutes, by the clock by which it was counted', async () => {
  const confirm = await count(500, false);
  now += 600_000;
  expect((await confirm()).body).toMatchObject({
    code: 'purge_changed',
    detail: expect.stringContaining(
      'count again with POST /api/v1/queues/mail/purge {}, and send its "confirm" with the same "timers"',
    ),
  });
  now -= 1;
  expect((await confirm()).status).not.toBe(400);
});

test('a confirmation of a count without timers is none for them', async () => {
  const { body: counted } = await call({});
  const { body } = await call({ timers: true, confirm: counted.confirm });
  expect(body.detail).toContain('with POST /api/v1/queues/mail/purge {"timers": true}, and');
});

test('nobody confirms what is not there yet: neither messages nor a time that are to come', async () => {
  const confirmed = async (change: (counted: unknown[]) => void) => {
    const { body } = await call({});
    const counted = JSON.parse(Buffer.from(String(body.confirm), 'base64url').toString()) as unknown[];
    change(counted);
    return call({ confirm: Buffer.from(JSON.stringify(counted)).toString('base64url') });
  };
  upTo = 600;
  now += 1_000;
  const before = await purge();
  const ahead = [
    await confirmed((counted) => (counted[2] = 601)),
    await confirmed((counted) => (counted[4] = now + 61_000)),
  ];
  expect(ahead.map(({ body }) => body.code)).toEqual(['purge_changed', 'purge_changed']);
  expect(await purge()).toEqual(before);
  expect((await confirmed(() => {})).status).not.toBe(409);
});
