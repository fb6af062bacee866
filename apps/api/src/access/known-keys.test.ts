import { setImmediate as turn } from 'node:timers/promises';
import type { ApiKeyRecord } from '@jetbeat/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { createKnown, createKnownKeys, type FindKey } from './known-keys.ts';

const key = (id: string, revokedAt?: number): ApiKeyRecord => ({
  id,
  hash: 'h',
  role: 'viewer',
  name: id,
  payloads: true,
  configured: false,
  createdAt: 0,
  expired: false,
  retired: [],
  ...(revokedAt === undefined ? {} : { revokedAt }),
});

/** How long a revoked key may go on at most. */
const WITHIN_MS = 1_000;
let now: number;
let asked: number;
let stored: Map<string, ApiKeyRecord>;
let answer: FindKey;
let find: FindKey;
beforeEach(() => {
  now = 0;
  asked = 0;
  stored = new Map([['a', key('a')]]);
  answer = async (id) => stored.get(id);
  find = createKnownKeys({
    now: () => now,
    findKey: (id) => {
      asked += 1;
      return answer(id);
    },
  });
});

describe('what was read of a key', () => {
  test('is asked for once by many, and again behind a request before it holds no more', async () => {
    await Promise.all(Array.from({ length: 100 }, () => find('a')));
    expect(asked).toBe(1);
    now = 300;
    await find('a');
    expect(asked).toBe(1);
    now = 500;
    await Promise.all(Array.from({ length: 100 }, () => find('a')));
    expect(asked).toBe(2);
    now = 1_300;
    await find('a');
    expect(asked).toBe(3);
  });

  test.each([0, 399, 400, 899])(
    'a key that is revoked %i ms after it was read is refused within a second',
    async (after) => {
      await find('a');
      now = after;
      stored.set('a', key('a', 1));
      // Whatever came in between has asked anew, or not.
      await find('a');
      now = after + WITHIN_MS;
      expect(await find('a')).toMatchObject({ revokedAt: 1 });
    },
  );

  test('does not hold any longer while PostgreSQL is away', async () => {
    await find('a');
    answer = async () => {
      throw new Error('away');
    };
    now = 899;
    expect(await find('a')).toMatchObject({ id: 'a' });
    now = 900;
    await expect(find('a')).rejects.toThrow('away');
    answer = async (id) => stored.get(id);
    expect(await find('a')).toMatchObject({ id: 'a' });
  });

  test('an answer that took long is not taken by who came long after the question', async () => {
    const slow = Promise.withResolvers<ApiKeyRecord | undefined>();
    answer = () => slow.promise;
    const first = find('a');
    now = 500;
    const second = find('a');
    answer = async () => key('a', 1);
    now = 1_000;
    expect(await find('a')).toMatchObject({ revokedAt: 1 });
    slow.resolve(key('a'));
    expect(await first).not.toHaveProperty('revokedAt');
    expect(await second).not.toHaveProperty('revokedAt');
    expect(asked).toBe(2);
    // What came late is old: it is asked anew, and does not hold from now on.
    now = 1_001;
    expect(await find('a')).toMatchObject({ revokedAt: 1 });
  });

  test('what is no key is not remembered, and of many keys only some are', async () => {
    for (let index = 0; index < 3; index++) expect(await find('nobody')).toBeUndefined();
    expect(asked).toBe(3);
    for (let index = 0; index < 1_100; index++) {
      stored.set(`k${index}`, key(`k${index}`));
      await find(`k${index}`);
    }
    asked = 0;
    for (let index = 100; index < 1_100; index++) await find(`k${index}`);
    expect(asked).toBe(0);
    await find('k0');
    expect(asked).toBe(1);
  });
});

test('what was forgotten is asked for anew, and the answer to a question from before is not kept', async () => {
  let told = 'signed in';
  const slow = Promise.withResolvers<string>();
  let hold = false;
  const known = createKnown<string>({ now: () => now, find: async () => (hold ? slow.promise : told) });
  expect(await known.find('a')).toBe('signed in');
  told = 'signed out';
  expect(await known.find('a')).toBe('signed in');
  known.forget('a');
  expect(await known.find('a')).toBe('signed out');
  hold = true;
  now = 500;
  // Asks behind the answer.
  await known.find('a');
  known.forget('a');
  hold = false;
  expect(await known.find('a')).toBe('signed out');
  slow.resolve('signed in');
  // What waits for it goes on.
  await turn();
  expect(await known.find('a')).toBe('signed out');
});
