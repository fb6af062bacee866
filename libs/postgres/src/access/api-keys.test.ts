import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { ConflictError } from '../database/errors.ts';
import { adoptApiKey } from './adopt-api-key.ts';
import {
  createApiKey,
  findApiKey,
  hasLiveApiKey,
  listApiKeys,
  type NewApiKey,
  noteKeyUse,
  revokeApiKey,
} from './api-keys.ts';
import { liveCallers } from './live-callers.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase();
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate api_key');
});

const NOW = 1_800_000_000_123;
const add = (id: string, more: Partial<NewApiKey> = {}) =>
  createApiKey(db, {
    id,
    hash: `h-${id}`,
    role: 'viewer',
    name: id,
    payloads: true,
    createdAt: NOW,
    ...more,
  });
/** A hash has two forms here too: `h1` and `form:h1` are of the same secret. */
const adopt = (id: string, hash: string) =>
  adoptApiKey(db, { id, hash, now: NOW, isHash: (stored) => stored.replace(/^form:/, '') === hash });
const hashOf = async (id: string) => (await findApiKey(db, id))?.hash;

test('an id is of one key', async () => {
  const key = await add('once');
  await expect(add('once', { role: 'admin' })).rejects.toThrow(ConflictError);
  expect(await findApiKey(db, 'once')).toEqual(key);
});

test('a key is read as it was written', async () => {
  const whole = {
    queues: ['mail', 'sms'],
    payloads: false,
    createdBy: 'root',
    expiresAt: Date.now() + 60_000,
  };
  const key = await add('a', whole);
  expect(key).toEqual({
    id: 'a',
    hash: 'h-a',
    role: 'viewer',
    name: 'a',
    createdAt: NOW,
    configured: false,
    ...whole,
    expired: false,
    retired: [],
  });
  expect(await findApiKey(db, 'a')).toEqual(key);
  expect(await findApiKey(db, 'b')).toBeUndefined();
  expect((await add('b', { expiresAt: Date.now() - 1 })).expired).toBe(true);
});

test('a list goes by time, page after page, and knows who sees what', async () => {
  await add('a', { createdAt: 1, queues: ['mail'] });
  await add('b', { createdAt: 2, queues: ['mail', 'sms'] });
  await add('c', { createdAt: 2 });
  await add('d', { createdAt: 3, queues: ['sms'] });
  const ids = async (params: Parameters<typeof listApiKeys>[1]) =>
    (await listApiKeys(db, params)).map(({ id }) => id);
  expect(await ids({ limit: 2 })).toEqual(['d', 'c']);
  expect(await ids({ limit: 9, after: { createdAt: 2, id: 'c' } })).toEqual(['b', 'a']);
  await add('e', { createdAt: 4, name: 'deploys' });
  expect(await ids({ limit: 9, named: 'deploys' })).toEqual(['e']);
  expect(await ids({ limit: 9, named: 'deploys', after: { createdAt: 4, id: 'e' } })).toEqual([]);
  expect(await ids({ limit: 9, named: 'none' })).toEqual([]);
  // A key for all queues is for more than these.
  expect(await ids({ limit: 9, within: ['mail'] })).toEqual(['a']);
  expect(await ids({ limit: 9, within: ['mail', 'sms', 'x'] })).toEqual(['d', 'b', 'a']);
});

describe('revoking', () => {
  test('is for ever, told once, and nothing has its hash any more', async () => {
    await add('a');
    expect(await revokeApiKey(db, { id: 'a', by: 'root' })).toBe('revoked');
    expect(await revokeApiKey(db, { id: 'a', by: 'other' })).toBe('already');
    expect(await revokeApiKey(db, { id: 'nobody', by: 'root' })).toBe('unknown');
    expect(await findApiKey(db, 'a')).toMatchObject({
      hash: 'revoked',
      retired: ['h-a'],
      revokedBy: 'root',
      revokedAt: expect.closeTo(Date.now(), -5),
    });
  });

  test('keeps the last key that may make others', async () => {
    await add('one', { role: 'admin' });
    await add('two', { role: 'admin' });
    await add('some', { role: 'admin', queues: ['mail'] });
    await add('old', { role: 'admin', expiresAt: Date.now() - 1 });
    await add('reader');
    const both = await Promise.all(['one', 'two'].map((id) => revokeApiKey(db, { id, by: id })));
    expect(both.sort()).toEqual(['last', 'revoked']);
    for (const id of ['some', 'old', 'reader'])
      expect(await revokeApiKey(db, { id, by: 'x' }), id).toBe('revoked');
  });

  test.each([
    ['sees payloads', {}, { payloads: false }],
    ['lasts', {}, { expiresAt: Date.now() + 60_000 }],
    ['lasts longest', { expiresAt: Date.now() + 120_000 }, { expiresAt: Date.now() + 60_000 }],
  ])('keeps the last one that %s', async (_name, more, less) => {
    await add('more', { role: 'admin', ...more });
    await add('less', { role: 'admin', ...less });
    await add('reader');
    expect(await revokeApiKey(db, { id: 'more', by: 'x' })).toBe('last');
    await add('same', { role: 'admin', ...more });
    expect(await revokeApiKey(db, { id: 'more', by: 'x' })).toBe('revoked');
    expect(await revokeApiKey(db, { id: 'less', by: 'x' })).toBe('revoked');
    expect(await revokeApiKey(db, { id: 'same', by: 'x' })).toBe('last');
  });
});

test('what goes on for longer than a request ends with the secret that it began with', async () => {
  await adopt('a', 'h1');
  await add('old', { expiresAt: Date.now() - 1 });
  await add('gone');
  await revokeApiKey(db, { id: 'gone', by: 'x' });
  const inUse = [
    ...['h1', 'h2'].map((hash) => ({ id: 'a', hash })),
    ...['old', 'gone'].map((id) => ({ id, hash: `h-${id}` })),
    { id: 'gone', hash: 'revoked' },
    { id: 'nobody', hash: 'h' },
  ].map((each) => ({ kind: 'key' as const, ...each }));
  expect(await liveCallers(db, inUse)).toEqual([{ kind: 'key', id: 'a', hash: 'h1' }]);
  await adopt('a', 'h2');
  expect(await liveCallers(db, inUse)).toEqual([{ kind: 'key', id: 'a', hash: 'h2' }]);
});

describe('the key of the configuration', () => {
  test('may do everything, and is the same at each start', async () => {
    expect(await adopt('a', 'h1')).toEqual({ outcome: 'made', retired: [] });
    expect(await adopt('a', 'h1')).toEqual({ outcome: 'kept', retired: [] });
    expect(await findApiKey(db, 'a')).toMatchObject({
      role: 'admin',
      name: 'first key',
      payloads: true,
      configured: true,
      createdAt: NOW,
    });
  });

  test('takes the place of the one before, which a start with the old configuration does not bring back', async () => {
    await adopt('a', 'h1');
    expect(await adopt('b', 'h2')).toEqual({ outcome: 'made', retired: ['a'] });
    expect(await adopt('a', 'h1')).toEqual({ outcome: 'revoked', retired: [] });
    expect(await hashOf('a')).toBe('revoked');
    expect(await hashOf('b')).toBe('h2');
  });

  test('the same with another secret under the same id', async () => {
    await adopt('a', 'h1');
    expect(await adopt('a', 'h2')).toEqual({ outcome: 'replaced', retired: [] });
    expect(await adopt('a', 'h1')).toEqual({ outcome: 'revoked', retired: [] });
    expect(await findApiKey(db, 'a')).toMatchObject({ hash: 'h2', retired: ['h1'] });
  });

  test('revoked by hand it stays so; a new secret under its id is a new key', async () => {
    await adopt('a', 'h1');
    await add('master', { role: 'admin' });
    expect(await revokeApiKey(db, { id: 'a', by: 'master' })).toBe('revoked');
    expect(await adopt('a', 'h1')).toEqual({ outcome: 'revoked', retired: [] });
    expect(await adopt('a', 'h2')).toEqual({ outcome: 'replaced', retired: [] });
    const found = await findApiKey(db, 'a');
    expect(found).toMatchObject({ hash: 'h2', retired: ['h1'], role: 'admin' });
    expect(found).not.toHaveProperty('revokedAt');
  });

  test('a key that was made through the API gets nothing more by standing there', async () => {
    await add('a', { queues: ['mail'], hash: 'form:h1' });
    await add('b', { hash: 'form:h2' });
    await revokeApiKey(db, { id: 'b', by: 'x' });
    expect(await adopt('a', 'h1')).toEqual({ outcome: 'kept', retired: [] });
    expect(await adopt('a', 'other')).toEqual({ outcome: 'taken', retired: [] });
    expect(await adopt('b', 'h2')).toEqual({ outcome: 'revoked', retired: [] });
    expect(await findApiKey(db, 'a')).toMatchObject({ hash: 'form:h1', role: 'viewer', queues: ['mail'] });
  });

  test('of many that start at once with two keys one stays', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => adopt(index % 2 ? 'a' : 'b', index % 2 ? 'h1' : 'h2')),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'made')).toHaveLength(2);
    const live = (await listApiKeys(db, { limit: 9 })).filter(({ revokedAt }) => revokedAt === undefined);
    expect(live).toHaveLength(1);
  });
});

test('a use is noted at most once a minute', async () => {
  await add('a');
  await add('b');
  await noteKeyUse(db, ['a', 'nobody']);
  const first = (await findApiKey(db, 'a'))?.lastUsedAt;
  expect(first).toEqual(expect.closeTo(Date.now(), -5));
  await noteKeyUse(db, ['a', 'b']);
  expect((await findApiKey(db, 'a'))?.lastUsedAt).toBe(first);
  expect((await findApiKey(db, 'b'))?.lastUsedAt).toBeDefined();
});

test('whether anybody could get in', async () => {
  expect(await hasLiveApiKey(db)).toBe(false);
  await add('old', { expiresAt: Date.now() - 1 });
  await add('gone');
  await revokeApiKey(db, { id: 'gone', by: 'x' });
  expect(await hasLiveApiKey(db)).toBe(false);
  await add('a');
  expect(await hasLiveApiKey(db)).toBe(true);
});
