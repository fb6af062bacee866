import { project } from '@jetbeat/core';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import { NOON, newId, sampleFacts } from '../database/sample.ts';
import { recordChanges } from '../history/record.ts';
import { parkedForKeys } from './parked.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('parked-test');
  db = made.db;
  return made.drop;
});

async function park(key: string, at: number): Promise<string> {
  const job = newId();
  const event = {
    ...sampleFacts({ job }),
    parks: 1,
    kind: 'parked',
    what: 'key',
    key,
    limit: 1,
    taken: 1,
    at,
  } as const;
  await recordChanges(db, { changes: project([event]), workers: [], now: NOON });
  return job;
}

test('of each key the job that was parked first, some keys at a time, until all were given', async () => {
  const [late, b, a] = [await park('b', NOON + 5), await park('b', NOON), await park('a', NOON + 1)];
  const strange = await park('Ärger / %', NOON + 2);
  const c = await park('c', NOON + 3);
  await park('d', NOON + 1_000);
  const before = NOON + 500;
  const seen: string[][] = [];
  let after = '';
  do {
    const page = await parkedForKeys(db, { before, limit: 2, after });
    seen.push(page.map(({ id }) => id));
    after = page.at(-1)?.key ?? '';
  } while (seen.at(-1)?.length === 2);
  // Which comes first is up to the database's collation; that each is given once is not.
  expect(seen.flat().toSorted()).toEqual([a, b, c, strange].toSorted());
  expect(seen.map((page) => page.length)).toEqual([2, 2, 0]);
  expect(seen.flat()).not.toContain(late);
  const [first] = await parkedForKeys(db, { before, limit: 1, after: 'b' });
  expect(first).toMatchObject({ id: c, key: 'c', what: 'key', task: 'mail.send' });
});
