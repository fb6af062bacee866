import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { databaseTime } from '../migrating/migrate.ts';
import { revokeApiKey } from './api-keys.ts';
import { listAudit } from './audit.ts';
import { HOUR, KEY, sessionSamples } from './session-samples.ts';
import {
  findSession,
  forgetSessions,
  getSession,
  type NewSession,
  noteSessionUse,
  type SessionRecord,
} from './sessions.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase();
  db = made.db;
  return made.drop;
});
const { addKey, ask, begin, clear, end, isLive, link, put } = sessionSamples(() => db);
beforeEach(clear);

test('a session is read as it was begun', async () => {
  const whole = { queues: ['mail'], payloads: false, address: '::1', userAgent: 'Browser' };
  const begun = await begin('s1', whole);
  expect(begun).toMatchObject({ ...whole, id: 's1', role: 'viewer', beganBy: 'oidc', subject: 'sub-s1' });
  expect(begun).toMatchObject({ live: true });
  expect(begun.expiresAt).toBe(begun.createdAt + 24 * HOUR);
  expect(await getSession(db, 's1')).toEqual(begun);
  expect(await findSession(db, 't-s1')).toEqual(begun);
  expect(await findSession(db, 's1')).toBeUndefined();
});

describe('a session lets nobody in any more', () => {
  beforeEach(async () => {
    await begin('s1');
    expect(await isLive('s1')).toBe(true);
  });

  test.each([
    ['when it was idle', "seen_at = clock_timestamp() - interval '61 minutes'"],
    ['when its time is over', "expires_at = clock_timestamp() - interval '1 second'"],
    ['when it has ended', 'ended_at = clock_timestamp()'],
  ])('%s, and no use brings it back', async (_, what) => {
    await put('s1', what);
    expect(await isLive('s1')).toBe(false);
    await noteSessionUse(db, ['s1']);
    expect(await isLive('s1')).toBe(false);
  });

  test('a use is noted once a minute, and keeps it from being idle', async () => {
    const since = (await getSession(db, 's1'))?.seenAt;
    await noteSessionUse(db, ['s1', 'nobody']);
    expect((await getSession(db, 's1'))?.seenAt).toBe(since);
    await put('s1', "seen_at = clock_timestamp() - interval '59 minutes'");
    await noteSessionUse(db, ['s1']);
    const found = await getSession(db, 's1');
    expect(found?.seenAt).toBeGreaterThanOrEqual(since ?? 0);
    expect(found?.idleUntil).toBeGreaterThan((await databaseTime(db)) + HOUR - 60_000);
  });
});

describe('a session of a key', () => {
  const ofKey = (id: string, more: Partial<NewSession> = {}) =>
    ask(id, { beganBy: 'key', key: KEY, ...more });

  test('may what the key may, whatever stands in its own row', async () => {
    await addKey({ role: 'viewer', queues: ['mail'], payloads: false, expiresAt: Date.now() + HOUR });
    const begun = await ofKey('s1', { role: 'admin', queues: ['x'], payloads: true });
    expect(begun).toMatchObject({ role: 'viewer', queues: ['mail'], payloads: false, key: KEY });
    expect(begun).toMatchObject({ expiresAt: (begun as SessionRecord).keyExpiresAt });
  });

  test.each([
    ['is revoked', () => revokeApiKey(db, { id: 'k1', by: 'x' })],
    ['expires', () => inside(db).run("update api_key set expires_at = clock_timestamp() - interval '1 ms'")],
    ['has another secret', () => inside(db).run("update api_key set hash = 'h2'")],
    ['is gone', () => inside(db).run('delete from api_key')],
  ])('ends when the key %s, and none begins then', async (_, change) => {
    await addKey();
    await ofKey('s1');
    expect(await isLive('s1')).toBe(true);
    await change();
    expect(await isLive('s1')).toBe(false);
    const before = await listAudit(db, { limit: 1 });
    expect(await ofKey('s2')).toBe('gone');
    expect(await getSession(db, 's2')).toBeUndefined();
    expect(await listAudit(db, { limit: 1 })).toEqual(before);
  });

  test('of a key that is gone it could see nothing, were it let in', async () => {
    await addKey({ role: 'admin' });
    await ofKey('s1', { role: 'admin' });
    await inside(db).run('delete from api_key');
    expect(await getSession(db, 's1')).toMatchObject({
      role: 'viewer',
      queues: [],
      payloads: false,
      live: false,
    });
  });
});

test('a new session takes the place of the one that came with it, and of the oldest where there are too many', async () => {
  await begin('a');
  await begin('b', { replaces: 't-a' });
  expect([await isLive('a'), await isLive('b')]).toEqual([false, true]);
  expect((await listAudit(db, { limit: 2 })).map(({ action, target }) => [action, target.id])).toEqual([
    ['session.end', 'a'],
    ['session.begin', 'b'],
  ]);
  const one = { subject: 'one' };
  for (let index = 0; index < 99; index++) await begin(`c${index}`, one);
  await put(
    'c0',
    "created_at = created_at - interval '11 minutes', seen_at = seen_at - interval '11 minutes'",
  );
  for (let index = 99; index < 101; index++) await begin(`c${index}`, one);
  expect([await isLive('c0'), await isLive('c1'), await isLive('b')]).toEqual([false, true, true]);
  expect(await listAudit(db, { limit: 1, target: { id: 'c0' } })).toMatchObject([
    { after: { why: 'crowded' } },
  ]);
});

test('what is over makes no room, and is not ended once more', async () => {
  await addKey();
  await inside(db).run(
    `insert into session (id, token_hash, began_by, key_id, key_hash, name, role, payloads, idle_seconds, expires_at, created_at, seen_at)
     select 'k' || n, 'h' || n, 'key', 'k1', 'h1', 'K', 'viewer', true, 1, now() + interval '1 day', now() - interval '1 hour',
       now() - interval '1 hour' from generate_series(1, 101) n`,
  );
  const before = await listAudit(db, { limit: 200 });
  await begin('one', { beganBy: 'key', key: KEY });
  expect((await listAudit(db, { limit: 200 })).length - before.length).toBe(1);
});

test('of one key, or of one person, no more begin in ten minutes than anybody needs, and others are not kept by that', async () => {
  await addKey();
  const ofKey = { beganBy: 'key', key: KEY } as const;
  await begin('k0', ofKey);
  await inside(db).run(
    `insert into session (id, token_hash, began_by, key_id, key_hash, name, role, payloads, idle_seconds, expires_at, ended_at)
     select 'k' || n, 'h' || n, 'key', 'k1', 'h1', 'K', 'viewer', true, 1, now(), now() from generate_series(1, 99) n`,
  );
  expect(await ask('late', ofKey)).toBe('too many');
  expect(await getSession(db, 'late')).toBeUndefined();
  await begin('other');
  await put('k5', "created_at = created_at - interval '11 minutes'");
  await begin('next', ofKey);
});

test('what has ended ends once, with one row', async () => {
  await begin('once');
  expect(await Promise.all([end('once'), end('once'), end('once')])).toEqual(
    expect.toSatisfy((ended: boolean[]) => ended.filter(Boolean).length === 1),
  );
  expect(await listAudit(db, { limit: 9, target: { id: 'once' }, action: 'session.end' })).toHaveLength(1);
  expect(await end('nobody')).toBe(false);
});

test('what is over for long is forgotten, and links that nobody followed', async () => {
  for (const id of ['ended', 'old', 'idle', 'live']) await begin(id);
  await put('ended', "ended_at = clock_timestamp() - interval '2 days'");
  await put('old', "expires_at = clock_timestamp() - interval '2 days'");
  await put('idle', "seen_at = clock_timestamp() - interval '2 days'");
  await link('l1', { validMs: -1 });
  await link('l2');
  const before = (await databaseTime(db)) - 24 * HOUR;
  expect(await forgetSessions(db, { before, limit: 9 })).toBe(2);
  expect(await Promise.all(['ended', 'old', 'idle', 'live'].map((id) => getSession(db, id)))).toMatchObject([
    ...[undefined, undefined, { live: false }, { live: true }],
  ]);
  expect(await inside(db).rows('select code_hash as code from session_link')).toEqual([{ code: 'l2' }]);
});
