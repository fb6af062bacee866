import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { databaseTime } from '../migrating/migrate.ts';
import { revokeApiKey } from './api-keys.ts';
import { listSessions } from './list-sessions.ts';
import { findSessionLink } from './session-links.ts';
import { ALL, KEY, sessionSamples } from './session-samples.ts';
import { getSession } from './sessions.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase();
  db = made.db;
  return made.drop;
});
const { addKey, ask, begin, clear, end, isLive, link, put } = sessionSamples(() => db);
beforeEach(clear);

describe('a link', () => {
  test('is followed once, also by many at once', async () => {
    await addKey({ queues: ['mail'] });
    const until = await link('c', { key: KEY, role: 'admin' });
    expect(until - (await databaseTime(db))).toBeGreaterThan(500_000);
    const found = await findSessionLink(db, 'c');
    expect(found).toEqual({ name: 'L', role: 'operator', queues: ['mail'], payloads: true, key: KEY });
    const follow = (id: number) => ask(`f${id}`, { ...found, beganBy: 'link', link: 'c' });
    const begun = await Promise.all(Array.from({ length: 8 }, (_, id) => follow(id)));
    expect(begun.filter((each) => each !== 'gone')).toMatchObject([{ beganBy: 'link', role: 'operator' }]);
    expect((await listSessions(db, { ...ALL, limit: 9 })).length).toBe(1);
    expect(await findSessionLink(db, 'c')).toBeUndefined();
  });

  test('holds no longer than its time, nor than the key or session whose it is', async () => {
    await addKey();
    await begin('p');
    await link('late', { validMs: -1, key: KEY });
    await link('of key', { key: KEY });
    await link('of session', { parent: 'p' });
    await revokeApiKey(db, { id: 'k1', by: 'x' });
    await end('p');
    for (const code of ['late', 'of key', 'of session', 'none'])
      expect(await findSessionLink(db, code), code).toBeUndefined();
    expect(await ask('too late', { beganBy: 'link', link: 'late' })).toBe('gone');
  });

  test('is not used up where no session begins', async () => {
    await addKey();
    await link('c', { key: KEY });
    await inside(db).run(
      `insert into session (id, token_hash, began_by, key_id, key_hash, name, role, payloads, idle_seconds, expires_at, ended_at)
       select 'k' || n, 'h' || n, 'key', 'k1', 'h1', 'K', 'viewer', true, 1, now(), now() from generate_series(1, 100) n`,
    );
    expect(await ask('f', { beganBy: 'link', key: KEY, link: 'c' })).toBe('too many');
    expect(await findSessionLink(db, 'c')).toBeDefined();
  });

  test('what it begins ends with the session whose link it was; followed by that one itself it begins nothing', async () => {
    await begin('p', { issuer: 'i', subject: 's' });
    const child = { beganBy: 'link', parent: 'p', issuer: 'i', subject: 's' } as const;
    expect(await begin('phone', child)).toMatchObject({ live: true, parent: 'p' });
    await link('own', { parent: 'p' });
    expect(await ask('same', { ...child, replaces: 't-p', link: 'own' })).toMatchObject({
      id: 'p',
      live: true,
    });
    expect(await findSessionLink(db, 'own')).toBeUndefined();
    expect([await isLive('p'), await isLive('phone'), await getSession(db, 'same')]).toEqual([
      true,
      true,
      undefined,
    ]);
    // It goes on where the other one was only idle.
    await put('p', "seen_at = clock_timestamp() - interval '2 hours'");
    expect([await isLive('p'), await isLive('phone')]).toEqual([false, true]);
    await end('p');
    expect(await isLive('phone')).toBe(false);
    for (const more of [{}, { replaces: 't-p' }])
      expect(await ask('late', { ...child, ...more })).toBe('gone');
  });

  test('of one key or session only some wait', async () => {
    await begin('p');
    for (let index = 0; index < 21; index++) await link(`c${index}`, { parent: 'p' });
    expect(await findSessionLink(db, 'c0')).toBeUndefined();
    expect(await findSessionLink(db, 'c1')).toBeDefined();
  });
});
