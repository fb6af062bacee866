import type { Batch, Replay } from '@jetbeat/core';
import { type Database, databaseTime, getBatch, openDatabase } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { createTestServer, NOW, type TestServer } from '../test-server.ts';

let made: TestDatabase;
let db: Database;
let server: TestServer;
let behind: string | undefined;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'create-batch-test' });
  // Its clock is months behind that of PostgreSQL.
  server = await createTestServer({ db, batches: { poke() {}, behind: async () => behind } });
});
afterAll(async () => {
  await server?.app.close();
  await db?.close();
  await made?.drop();
});

test('what a batch is for is told apart by the clock that carries it out, whatever that of the API says', async () => {
  const before = await databaseTime(db);
  expect(before - NOW).toBeGreaterThan(86_400_000);
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
