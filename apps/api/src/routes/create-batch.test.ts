import type { Batch, Replay } from '@jetbeat/core/http';
import { type Database, databaseTime, getBatch, insertJobs, openDatabase } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { newJob } from '../../../../test/support/recorder.ts';
import { createTestServer, type TestServer } from '../test-server.ts';

let made: TestDatabase;
let db: Database;
let server: TestServer;
let behind: string | undefined;
/** The API's clock is so many days behind that of PostgreSQL. */
const behindBy = (days: number) => Date.now() - days * 86_400_000;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'create-batch-test' });
  server = await createTestServer({
    clock: () => behindBy(100),
    db,
    batches: { poke() {}, behind: async () => behind },
  });
});
afterAll(async () => {
  await server?.app.close();
  await db?.close();
  await made?.drop();
});

test('what a batch is for is told apart by the clock that carries it out, whatever that of the API says', async () => {
  const before = await databaseTime(db);
  expect(before - behindBy(100)).toBeGreaterThan(86_400_000);
  const batch = await server.call<Batch>('POST /batches', { action: 'cancel', filter: { task: 'a.b' } });
  const replay = await server.call<Replay>('POST /dead-letters/replay', { filter: {} });
  expect([batch.status, replay.status]).toEqual([202, 202]);
  const found = [await getBatch(db, batch.body.id ?? ''), await getBatch(db, replay.body.id ?? '')];
  for (const one of found) expect(one?.createdAt).toBeGreaterThanOrEqual(before);
  expect(found[0]?.filter.to).toBeGreaterThanOrEqual(before);
  const aborted = await server.call<Batch>(`POST /batches/${batch.body.id}/abort`, {});
  expect(Date.parse(aborted.body.abortedAt ?? '')).toBeGreaterThanOrEqual(before);
});

test('where history has not heard of everything, whoever counts is told so', async () => {
  behind = 'history is 7 event batches behind';
  for (const dryRun of [true, false]) {
    const asked = { action: 'cancel', filter: { task: 'a.b' }, dryRun };
    const { body } = await server.call<Batch>('POST /batches', asked);
    expect(body.warnings.map(({ code }) => code)).toEqual(['last_7_days', 'history_behind']);
    expect(body.warnings[1]?.message).toContain(behind);
  }
});

test('who only counts is told what these jobs are; a batch tells only how many', async () => {
  const made = newJob({ task: 'p.one', queue: 'mail', input: { secret: 1 } });
  await insertJobs(db, [{ envelope: made, state: 'queued', totalLimitMs: 60_000, origin: 'api' }]);
  const { id, createdAt } = made;
  const asked = { action: 'cancel', filter: { task: 'p.one', from: '2026-01-01T00:00:00Z' } };
  const { body } = await server.call<Batch>('POST /batches', { ...asked, dryRun: true });
  expect(body).toMatchObject({ id: null, state: 'counted', total: { value: 1, capped: false } });
  expect(body.preview).toEqual({
    of: 1,
    states: { queued: 1 },
    queues: { mail: 1 },
    tasks: { 'p.one': 1 },
    first: [
      { id, task: 'p.one', queue: 'mail', state: 'queued', createdAt: new Date(createdAt).toISOString() },
    ],
  });
  expect((await server.call<Batch>('POST /batches', asked)).body).not.toHaveProperty('preview');
});
